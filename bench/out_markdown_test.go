package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func markdownOf(t *testing.T, rep *Report) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, rep.write(outputs["markdown"](&b)))
	return b.String()
}

func TestMarkdown(t *testing.T) {
	rep := fullReport()
	rep.Env = Env{
		CPU: "a|b", Cores: 2, Go: "go1.26 linux/amd64", GOMAXPROCS: 4, Kernel: "Linux 6", Governor: "none", Virtual: "yes", Load: 0.25,
		Userrt: "v1.2.3", Start: "2026-01-02T03:04:05Z", Round: "20ms", Bound: "yes",
	}
	rep.Results[0].SpeedupCI = &Interval{1.25, 1.75}
	rep.Results[1].Floor, rep.Results[1].AboveFloor = "2 swap", 1.5
	more := rep.Points[0]
	more.Size, more.Native, more.Userrt = 10, 7, 0.7
	rep.Points = append(rep.Points, more)
	other := Ablation{Name: "b/other", Procs: 2, Unit: nsPerOp, With: 7}
	for without, worth := range map[string]float64{"wakeup": 1, "NoStealing": 0.5} {
		other.Without, other.Worth, other.Off = without, worth, 7*worth
		rep.Ablations = append(rep.Ablations, other)
	}
	require.Equal(t, strings.TrimLeft(`
# Results

Made by @go run ./bench -count 3 -growth -ablate -profile -format markdown@; nothing here is typed by hand.

| where |  |
|:--|:--|
| cpu | a\|b |
| cores | 2 |
| go | go1.26 linux/amd64 |
| GOMAXPROCS | 4 (each table sets its own, for both sides) |
| bound | yes: at procs 1 both sides of a turn run on the same processor |
| kernel | Linux 6 |
| governor | none |
| virtual | yes |
| load | 0.25 |
| userrt | v1.2.3 |
| start | 2026-01-02T03:04:05Z |

Costs are medians of 3 rounds of 20ms a side, fewer and longer for some pairs, the sides taking turns. Speedup is the native cost divided by userrt's: above 1 userrt is faster. Spread is the larger interquartile range of the two, relative to its median. The interval is the speedup's, at a confidence of 95 %; a pair is undecided when it holds 1, or, with too few rounds for one, when it is nearer to 1 than its spread. Above floor: how many times as much userrt takes as what the operation can't do without, which stands beside it.

## procs 1

1 faster, 0 undecided, 0 slower.

| pair | native | userrt | speedup | interval | spread |
|:--|--:|--:|--:|--:|--:|
| @a/pair@ | 30.0 ns | 20.0 ns | 1.50 | 1.25 to 1.75 | 0 % |

## procs 2

0 faster, 0 undecided, 1 slower.

| pair | native | userrt | speedup | spread | above floor | floor |
|:--|--:|--:|--:|--:|--:|:--|
| @a/pair@ | 30.0 ns | 60.0 ns | 0.50 | 0 % | 1.50× | 2 swap |

## Fairness

Measured for 400ms a side, in which all tasks want the lock all the time: turns of all tasks, of the one that had least and of the one that had most, their standard deviation relative to the mean, and how long a task has waited for the lock at most, for a processor included.

### procs 2

| pair | side | turns | least | most | deviation | longest wait |
|:--|:--|--:|--:|--:|--:|--:|
| @a/pair@ | native | 3,000 | 1,000 | 2,000 | 33 % | 1.00 ms |
| @a/pair@ | userrt | 4,000 | 2,000 | 2,000 | 0 % | 4.00 µs |

## Floors

What single operations of this machine cost. Nothing that is built on them can be cheaper.

| operation | cost | spread | what it is |
|:--|--:|--:|:--|
| cas | 5.00 ns | 10 % | one compare-and-swap |

## Growth

What one operation costs on more and more of something, and with which power of the size all the work of that size grows: 1 is linear, an operation costs the same on any size. `+flagMeaning+`

### tasks, procs 2

native size^1.00, linear; userrt size^1.50, WORSE THAN LINEAR, WORSE THAN LINEAR from 10 to 1,000 (size^1.50).

Cause: not known.

| tasks | native | userrt | speedup | spread |
|:--|--:|--:|--:|--:|
| 10 | 7.00 ns | 0.70 ns | 1.00 | 0 % |
| 1,000 | 7.00 ns | 7.00 ns | 1.00 | 0 % |

## What each mechanism is worth

userrt with one of its mechanisms switched off, beside userrt with all of them on: the cost without it divided by the cost with it. Above 1 it helps, below 1 it costs; what is not bold is undecided.

### procs 2

| pair | with all | steal | wakeup |
|:--|--:|--:|--:|
| @a/pair@ | 20.0 ns |  | **1.50** |
| @b/other@ | 7.00 ns | **0.50** | 1.00 |

steal: NoStealing, wakeup: wakeup.

## Where the time goes

`+profileNote()+`

### procs 2

| pair | side | cost | busy | switch | runtime | work | of later |
|:--|:--|--:|--:|--:|--:|--:|--:|
| @a/pair@ | native | 30.0 ns | 1.00 | 4.00 ns | 26.0 ns |  |  |
| @a/pair@ | userrt | 20.0 ns | 0.75 | 5.00 ns |  | 7.00 ns | 3.00 ns |
`, "\n"), strings.ReplaceAll(markdownOf(t, rep), "`", "@"))
	require.Contains(t, markdownOf(t, madeUpReport(t)), "`go run ./bench -procs 1,2,4 -count 10 -growth -ablate -profile=summary -format markdown`")
	require.Equal(t, "# Results\n\nMade by `go run ./bench -format markdown`; nothing here is typed by hand.\n", markdownOf(t, &Report{}))
}

func TestMarkdownErrorIsReturned(t *testing.T) {
	require.ErrorIs(t, fullReport().write(outputs["markdown"](&failAfter{0})), errFull)
}

// TestMarkdownTablesAreEven counts the cells of every row of a long document.
func TestMarkdownTablesAreEven(t *testing.T) {
	rep := madeUpReport(t)
	cells, rows := 0, 0
	for line := range strings.Lines(markdownOf(t, rep)) {
		if !strings.HasPrefix(line, "|") {
			cells = 0
			continue
		}
		n := strings.Count(line, "|")
		if cells == 0 {
			cells, rows = n, rows-2
		}
		require.Equal(t, cells, n, line)
		rows++
	}
	require.Equal(t, len(envFields(rep.Env))+len(rep.Results)+len(rep.Floors)+len(rep.Points)+len(rep.Profiles)+fairRows(rep)+14+len(knownPairs().pairDocs(rep.Results)), rows)
}
