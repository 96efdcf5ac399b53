// Numbers for people: three digits, and the unit that suits their size. The page and the Markdown tables use them; the text
// table keeps one unit to a column, and JSON has all digits.

package main

import (
	"math"
	"strconv"
	"strings"
)

// threeDigits prints v with three significant digits, or all those before the point, in groups.
func threeDigits(v float64) string {
	abs := math.Abs(v)
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "?"
	case abs > 0 && abs < 0.0995: // with two: 0.0012
		return strconv.FormatFloat(v, 'f', 1-int(math.Floor(math.Log10(abs))), 64)
	case abs < 9.995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case abs < 99.95:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return grouped(v)
}

// grouped prints v without decimals, its digits in groups of three.
func grouped(v float64) string {
	digits := strconv.FormatFloat(math.Abs(v), 'f', 0, 64)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	if v < 0 {
		return "-" + digits
	}
	return digits
}

// shortCost prints a cost in the unit that suits its size: "1.48 µs", "2,718 B". What an operation is, a pair's name says.
func shortCost(v float64, unit string) string {
	switch {
	case unit == nsPerOp:
		return shortTime(v)
	case unit == cpuPerOp:
		return shortTime(v) + " cpu"
	case isBytes(unit):
		return threeDigits(v) + " B"
	}
	return threeDigits(v) + " " + unit
}

// shortTime prints nanoseconds.
func shortTime(ns float64) string {
	for _, u := range []struct {
		size float64
		name string
	}{{1e9, "s"}, {1e6, "ms"}, {1e3, "µs"}} {
		if ns >= 0.9995*u.size {
			return threeDigits(ns/u.size) + " " + u.name
		}
	}
	return threeDigits(ns) + " ns"
}

// shortCount prints a size: "64", "10k", "1M".
func shortCount(n int) string {
	switch {
	case n >= 1e6 && n%1e5 == 0:
		return strconv.FormatFloat(float64(n)/1e6, 'f', -1, 64) + "M"
	case n >= 1e3 && n%100 == 0:
		return strconv.FormatFloat(float64(n)/1e3, 'f', -1, 64) + "k"
	}
	return strconv.Itoa(n)
}

// shortInterval prints a confidence interval, or "" for none.
func shortInterval(ci *Interval) string {
	if ci == nil {
		return ""
	}
	return threeDigits(ci[0]) + " to " + threeDigits(ci[1])
}

// shortFloor prints how far above its floor a result is, or "" for one that has none.
func shortFloor(res Result) string {
	if res.Floor == "" || res.AboveFloor == 0 {
		return ""
	}
	return threeDigits(res.AboveFloor) + "×"
}

// unitNote says what isn't time on the clock: "" for ns/op.
func unitNote(unit string) string {
	switch {
	case unit == nsPerOp:
		return ""
	case unit == cpuPerOp:
		return "processor time"
	case isBytes(unit):
		return "bytes a " + strings.TrimPrefix(unit, "B/")
	}
	return unit
}
