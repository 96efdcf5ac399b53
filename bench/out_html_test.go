// The page: that it says what the Report says, is whole in itself, and leaves out what was not measured.

package main

import (
	"bytes"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
)

// madeUpReport is a report of everything, on a machine that does not exist.
func madeUpReport(t *testing.T) *Report {
	t.Helper()
	f, err := os.Open("testdata/report.json")
	require.NoError(t, err)
	defer f.Close()
	rep, err := readReport(f)
	require.NoError(t, err)
	return rep
}

func pageOf(t *testing.T, rep *Report) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, writeHTML(&b, rep))
	return b.String()
}

// dom is a parsed page.
type dom struct{ *html.Node }

func parsePage(t *testing.T, page string) dom {
	t.Helper()
	n, err := html.Parse(strings.NewReader(page))
	require.NoError(t, err)
	return dom{n}
}

// find returns the elements below d for which is holds.
func (d dom) find(is func(dom) bool) (found []dom) {
	for n := range d.Descendants() {
		if n.Type == html.ElementNode && is(dom{n}) {
			found = append(found, dom{n})
		}
	}
	return found
}

// all returns the elements of a tag, with the class if that isn't "".
func (d dom) all(tag, class string) []dom {
	return d.find(func(e dom) bool { return e.Data == tag && (class == "" || e.has(class)) })
}

func (d dom) attr(key string) string {
	for _, a := range d.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func (d dom) has(class string) bool {
	return strings.Contains(" "+d.attr("class")+" ", " "+class+" ")
}

func (d dom) text() string {
	var b strings.Builder
	for n := range d.Descendants() {
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func (d dom) byID(t *testing.T, id string) dom {
	t.Helper()
	found := d.find(func(e dom) bool { return e.attr("id") == id })
	require.Len(t, found, 1, id)
	return found[0]
}

func TestPageNeedsNothingElse(t *testing.T) {
	page := pageOf(t, madeUpReport(t))
	for _, ref := range []string{"http://", "https://", "url(//", "@import", "src=", "<link", "<iframe", "<img"} {
		require.False(t, strings.Contains(page, ref), ref)
	}
	require.True(t, strings.HasPrefix(page, "<!DOCTYPE html>\n"))
	d := parsePage(t, page)
	for _, a := range d.all("a", "") {
		require.True(t, strings.HasPrefix(a.attr("href"), "#"), a.attr("href"))
		d.byID(t, a.attr("href")[1:])
	}
	ids := map[string]bool{}
	for _, e := range d.find(func(e dom) bool { return e.attr("id") != "" }) {
		require.False(t, ids[e.attr("id")], e.attr("id"))
		ids[e.attr("id")] = true
	}
	require.Less(t, len(page), 1<<20)
	require.Equal(t, 1, strings.Count(page, "<script"))
	require.False(t, strings.Contains(page, "ZgotmplZ"), "html/template refuses nothing of it")
}

func TestPageShowsEverything(t *testing.T) {
	rep := madeUpReport(t)
	d := parsePage(t, pageOf(t, rep))
	env := d.all("dl", "env")[0].all("div", "")
	require.Len(t, env, 11)
	for i, f := range envFields(rep.Env) {
		require.Equal(t, f.Name, env[i].all("dt", "")[0].text())
		require.Equal(t, f.Value, env[i].all("dd", "")[0].text())
	}
	for _, g := range byProcs(rep.Results) {
		section := d.byID(t, "procs-"+shortCount(g.procs))
		rows := section.all("li", "row")
		lines := section.all("tbody", "")[0].all("tr", "")
		require.Len(t, rows, len(g.results))
		require.Len(t, lines, len(g.results))
		for i, res := range g.results {
			require.Contains(t, rows[i].text(), res.Name+" ")
			require.Contains(t, rows[i].text(), threeDigits(res.Speedup)+"× "+shortInterval(res.SpeedupCI))
			verdict := string(judge(res.Speedup, res.SpeedupCI, res.Spread))
			require.True(t, rows[i].has(verdict))
			require.Contains(t, rows[i].text(), ", "+verdict, "said in words too")
			require.Len(t, rows[i].all("line", "whisker"), 3)
			for _, want := range []string{
				res.Name, shortCost(res.Native, res.Unit), shortCost(res.Userrt, res.Unit), rate(res.Userrt, res.Unit),
				verdict + " " + threeDigits(res.Speedup), shortInterval(res.SpeedupCI), percent(res.Spread), shortFloor(res),
			} {
				require.Contains(t, lines[i].text(), want)
			}
			require.Len(t, lines[i].all("td", ""), len(section.all("thead", "")[0].all("th", ""))-1)
		}
	}
	require.Len(t, d.byID(t, "scaling").all("figure", ""), 51, "those of several procs, without bytes")
	require.Len(t, d.byID(t, "growth").all("figure", ""), 5)
	require.Len(t, d.byID(t, "memory").all("figure", ""), 3)
	matrix := d.byID(t, "ablation").all("table", "matrix")
	require.Len(t, matrix, 1)
	require.Len(t, matrix[0].all("thead", "")[0].all("th", ""), 2+11)
	require.Len(t, matrix[0].all("td", "cell"), len(rep.Ablations))
	require.Len(t, matrix[0].all("td", ""), 14*(1+11), "blank where nothing was measured")
	require.Contains(t, matrix[0].text(), "hchan/pingpong236 ns 1.40 it helps", "with all, and without runnext")
	fair := d.byID(t, "fairness")
	require.Len(t, fair.all("table", ""), 3)
	require.Len(t, fair.all("tbody", ""), 3)
	require.Len(t, fair.all("th", ""), fairRows(rep)+3*len(fairHeads))
	require.Len(t, fair.all("td", ""), fairRows(rep)*(len(fairHeads)-1))
	require.Len(t, d.byID(t, "floors").all("tbody", "")[0].all("tr", ""), len(rep.Floors))
	require.Contains(t, d.byID(t, "growth").text(), "lockers, procs 1 native, size1.02 userrt, size1.14")
	require.Contains(t, d.byID(t, "growth").text(), "userrt is worse than linear from 10,000 to 100,000: size^1.59")
	for _, svg := range d.all("svg", "curves") {
		require.Equal(t, "img", svg.attr("role"))
		require.NotEmpty(t, svg.all("title", "")[0].text())
		require.NotEmpty(t, svg.all("desc", "")[0].text())
	}
}

// TestPageMarksLieInside looks at each coordinate that depends on what was measured.
func TestPageMarksLieInside(t *testing.T) {
	rep := madeUpReport(t)
	rep.Results[3].SpeedupCI = &Interval{0, math.Inf(1)} // what no run gives, and a file may hold
	rep.Results[4].Native, rep.Results[5].Userrt, rep.Results[6].Speedup = 0, math.NaN(), math.Inf(1)
	rep.Points[0].Native, rep.Points[1].UserrtCI = math.NaN(), &Interval{-1, math.NaN()}
	page := pageOf(t, rep)
	require.False(t, strings.Contains(page, `"NaN`), `"NaN`)
	require.False(t, strings.Contains(page, `Inf%`), `Inf%`)
	d := parsePage(t, page)
	for _, row := range d.all("svg", "bar") {
		for _, e := range row.find(func(e dom) bool { return e.Data == "line" || e.Data == "rect" }) {
			for _, key := range []string{"x", "x1", "x2", "width"} {
				if v := e.attr(key); v != "" {
					require.Regexp(t, `^(\d|[1-9]\d|100)\.\d\d%$`, v)
				}
			}
		}
	}
	for _, svg := range d.all("svg", "curves") {
		for _, e := range svg.all("circle", "") {
			require.Regexp(t, `^\d{1,3}\.\d$`, e.attr("cx"))
			require.Regexp(t, `^\d{1,3}\.\d$`, e.attr("cy"))
		}
		for _, e := range svg.all("path", "curve") {
			require.Regexp(t, `^M[\d.]+ [\d.]+(L[\d.]+ [\d.]+)*$`, e.attr("d"))
		}
	}
}

func TestPageLeavesOut(t *testing.T) {
	section := func(page string) (ids []string) {
		for _, e := range parsePage(t, page).find(func(e dom) bool { return e.Data == "section" && e.attr("id") != "" }) {
			ids = append(ids, e.attr("id"))
		}
		return ids
	}
	full := fullReport()
	require.Equal(t, []string{"procs-1", "procs-2", "scaling", "growth", "ablation", "profiles", "fairness", "floors"}, section(pageOf(t, full)))
	require.Empty(t, section(pageOf(t, &Report{})))
	require.Equal(t, []string{"floors"}, section(pageOf(t, &Report{Floors: full.Floors})))
	require.Equal(t, []string{"growth"}, section(pageOf(t, &Report{Points: full.Points})))
	require.Equal(t, []string{"ablation"}, section(pageOf(t, &Report{Ablations: full.Ablations})))
	one := pageOf(t, &Report{Results: full.Results[:1]})
	require.Equal(t, []string{"procs-1"}, section(one))
	require.False(t, strings.Contains(one, "interval</button>"), "no column without data")
	require.False(t, strings.Contains(one, "above floor</button>"), "above floor</button>")
	require.False(t, strings.Contains(one, "<fieldset"), "nothing to choose among")
}

func TestPageEscapes(t *testing.T) {
	rep := fullReport()
	const evil = `"><script>alert(1)</script>`
	rep.Env.CPU, rep.Results[0].Name, rep.Results[1].Name = evil, evil, evil+"/</style>"
	rep.Points[0].Series, rep.Points[0].Of, rep.Ablations[0].Without, rep.Floors[0].Doc = evil, evil, evil, evil
	rep.Results[0].Floor, rep.Results[0].AboveFloor, rep.Results[0].Unit = evil, 2, evil
	page := pageOf(t, rep)
	require.Equal(t, 1, strings.Count(page, "<script"))
	require.Equal(t, 1, strings.Count(page, "</style"))
}

func TestPageErrorIsReturned(t *testing.T) {
	require.ErrorIs(t, writeHTML(&failAfter{0}, fullReport()), errFull)
	require.ErrorIs(t, fullReport().write(outputs["html"](&failAfter{0})), errFull)
}
