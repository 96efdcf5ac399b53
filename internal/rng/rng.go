// Package rng is the random source of one P: small, fast, seeded, never shared between threads.
//
// The generator is wyrand's mixing step over a Weyl sequence (Wang Yi, wyhash; runtime/rand.go,
// cheaprand, uses the same family).
package rng

import (
	"math/bits"
	"math/rand/v2"
)

// Source is not safe for concurrent use. The zero Source is a valid one with seed 0.
type Source struct{ x uint64 }

// New returns a source; equal seeds give equal sequences.
func New(seed uint64) Source { return Source{seed} }

// Seed returns a seed that differs from run to run.
func Seed() uint64 { return rand.Uint64() }

// Uint32 returns 32 random bits.
func (s *Source) Uint32() uint32 {
	s.x += 0xa0761d6478bd642f
	hi, lo := bits.Mul64(s.x, s.x^0xe7037ed1a0b428db)
	return uint32(hi ^ lo)
}

// Uint64 returns 64 random bits.
func (s *Source) Uint64() uint64 { return uint64(s.Uint32())<<32 | uint64(s.Uint32()) }

// N returns a number in [0, n), n > 0, uniform but for a bias below n/2^32.
func (s *Source) N(n uint32) uint32 { return uint32(uint64(s.Uint32()) * uint64(n) >> 32) }
