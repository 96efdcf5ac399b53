// Profiles: what the processors are at while a pair runs, on both sides, by parts of the system that the two have in common.
//
// A speedup says how much; this says why. Rounds of one side run under the runtime's CPU profiler, and each sample counts for the part to which the function
// belongs that was running, or its caller's for what works for callers. What is printed is processor time an operation, so that the parts of both sides can be compared: a
// side that waits has less of it than its operation takes, one that works on two processors at once has more.
//
// While the profiler runs a timer is pending (run.go says what that costs the native side), and what a round does beside its
// operations is in the profile as well; so the costs here are not those of the results.
//
// Go's counterpart: runtime/pprof, and go tool pprof -top for single functions.

package main

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"runtime/pprof"
	"slices"
	"time"

	"github.com/google/pprof/profile"
)

// profileRounds is for how many rounds' time a side is profiled: 1 s, which are 100 samples of a processor.
const profileRounds = 100

// A part of the system, and the functions that belong to it, of those that belong to none before it.
type systemPart struct {
	name, doc string
	functions *regexp.Regexp
}

var systemParts = []systemPart{
	{
		"kernel", "in system calls",
		regexp.MustCompile(`^(internal/runtime/syscall(/\w+)?|syscall|golang\.org/x/sys/unix|internal/syscall/unix)\.|` +
			`^runtime\.(futex|usleep|osyield|madvise|mmap|munmap|sysMmap|tgkill|getpid|gettid|rtsigprocmask|sigprocmask|clone|write1|read|nanosleep|epoll\w*|kevent|sys\w+_trampoline|libcCall|asmcgocall)\b`),
	},
	{
		"switch", "leaving a stack for another, and keeping to a thread meanwhile",
		regexp.MustCompile(`^(iter|internal/race)\.|^` + module + `/internal/(coro|getg)\.|` +
			`^(gogo|straight)$|^runtime\.(coroswitch|coroswitch_m|mcall|gogo|gosave\w*|LockOSThread|UnlockOSThread|lockOSThread|unlockOSThread|dolockOSThread|dounlockOSThread)\b`),
	},
	{
		"channels", "channels, locks and WaitGroups, and the locks within",
		regexp.MustCompile(`^(sync|internal/sync)\.|^` + module + `/(hchan|locks|waitgroup|internal/marks)\.|` +
			`^runtime\.(chan\w*|send|sendDirect|recv|recvDirect|select\w*|sel\w+|block|makechan\w*|closechan|empty|full|\(\*(waitq|semaRoot|hchan|timeHistogram)\)\.\w+|sem[ar]\w+|cansemacquire|readyWithTime|notify\w+|acquireSudog|releaseSudog|sync_\w+|internal_sync_\w+)\b`),
	},
	{
		"memory", "allocating, collecting, copying, and growing stacks",
		regexp.MustCompile(`^runtime\.(malloc\w*|gc[A-Z]\w*|new(object|array|stack)|nextFree\w*|make(slice|map)\w*|growslice|mem(clr|move)\w*|type(dmem|BitsBulk)\w*|bulkBarrier\w*|wb\w*|` +
			`scan\w*|mark\w*|grey\w*|findObject|spanOf\w*|sweep\w*|bgs\w+|drain\w*|tryDefer\w*|extractHeapBits\w*|heapBits\w*|heapSetType\w*|copystack|morestack\w*|stack(alloc|free|cache\w*|pool\w*)|adjust\w*|` +
			`shrinkstack|pcvalue|pcdata\w*|func(data|spdelta|MaxSPDelta)\w*|step|readvarint|publicationBarrier|deductAssist\w*|getempty|putfull|trygetfull|handoff|duff\w*|` +
			`\(\*(m(span|cache|central|heap)|gc\w+|sweep\w+|page\w+|pall\w+|p\w*Bits|lfstack|spanSet|spanQueue|spanInlineMarkBits|stack\w+|unwinder|stkframe|fixalloc|limiter\w+|workType|markBits|wbBuf|activeSweep|consistent\w+|objectScan\w*)\)\.\w+)\b|` +
			`^gcWriteBarrier$|^internal/runtime/gc\b`),
	},
	{
		"sched", "userrt's scheduler",
		regexp.MustCompile(`^` + module + `/(sched|internal)\b`),
	},
	{
		"network", "connections, above the kernel",
		regexp.MustCompile(`^` + module + `/netpoll\.|^(net|internal/poll)\.|^runtime\.(\(\*poll\w+\)\.|netpoll|poll_)`),
	},
	{
		"runtime", "the rest of the runtime: natively, its scheduler",
		regexp.MustCompile(`^(runtime|internal/runtime|internal/(abi|cpu))\b`),
	},
	{
		"work", "the pair itself, and what it calls",
		regexp.MustCompile(``),
	},
}

// forCaller are functions that count for those who call them: the locks within the runtime and within userrt, maps, what searches, compares and names,
// and asyncPreempt, which a signal puts on top of the function that is running. Some are local labels of assembler files.
var forCaller = regexp.MustCompile(`^runtime\.(lock2?|unlock\w*|lockWithRank|mutex\w+|procyield\w*|asyncPreempt|map\w+|\w+hash|memequal\w*|cmpstring|` +
	`findfunc\w*|funcname\w*|findnull|\(\*moduledata\)\.\w+)$|` +
	`^internal/(bytealg|runtime/maps)\.|^` + module + `/internal/(rawlock|procyield)\.|^\w+body$`)

const module = `github\.com/userrt/userrt`

// partOf returns the number of the part that a function belongs to.
func partOf(function string) int {
	for i, p := range systemParts {
		if p.functions.MatchString(function) {
			return i
		}
	}
	return len(systemParts) - 1
}

// profiled reports whether a profile can say anything of p.
func (p Pair) profiled() bool { return p.Rounds == 0 && (p.Unit == nsPerOp || p.Unit == cpuPerOp) }

// profile runs both sides of p under the profiler, one after the other.
func (p Pair) profile(procs int, d time.Duration) (res []Profile, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s at procs %d, profiled: %w", p.Name, procs, err)
		}
	}()
	sides, done, err := p.start(procs)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, done()) }()
	for i := range sides {
		sd := &sides[i]
		if err := sd.calibrate(p.Step, p.target()); err != nil {
			return nil, err
		}
		one, err := sd.profile(d)
		if err != nil {
			return nil, err
		}
		one.Name, one.Procs = p.Name, procs
		res = append(res, one)
	}
	return res, nil
}

// profile does rounds for d, and sorts the samples into parts.
func (sd *side) profile(d time.Duration) (Profile, error) {
	res := Profile{Side: sd.name, Parts: map[string]float64{}}
	runtime.GC()
	var b bytes.Buffer
	if err := pprof.StartCPUProfile(&b); err != nil {
		return res, err
	}
	ops, start := 0, time.Now()
	var err error
	for err == nil && time.Since(start) < d {
		_, err = sd.body(sd.n)
		ops += sd.n
	}
	took := time.Since(start)
	pprof.StopCPUProfile()
	if err != nil {
		return res, fmt.Errorf("%s: %w", sd.name, err)
	}
	prof, err := profile.Parse(&b)
	if err != nil {
		return res, err
	}
	res.Cost = float64(took.Nanoseconds()) / float64(ops)
	var cpu int64
	for _, s := range prof.Sample {
		res.Samples += s.Value[0]
		cpu += s.Value[1]
		res.Parts[systemParts[partOfSample(s)].name] += float64(s.Value[1]) / float64(ops)
	}
	res.Busy = float64(cpu) / float64(took.Nanoseconds())
	return res, nil
}

// partOfSample returns the number of the part that was running: that of the function in whose code it was, or, if that is the pair's, of what was
// inlined there; but that of its caller for what works for callers.
func partOfSample(s *profile.Sample) int {
	part := len(systemParts) - 1
	for _, loc := range s.Location {
		if n := len(loc.Line); n > 0 && loc.Line[n-1].Function != nil && forCaller.MatchString(loc.Line[n-1].Function.Name) {
			continue
		}
		for _, line := range slices.Backward(loc.Line) { // the last one is not inlined
			if line.Function == nil {
				continue
			}
			if part = partOf(line.Function.Name); part < len(systemParts)-1 {
				break
			}
		}
		break
	}
	return part
}
