// Results as a page: one file that holds everything it needs and asks nothing of the network.
//
// What it shows is put together here from a Report; page_scale.go, page_bars.go and page_lines.go say where things lie; how
// they look is in page/page.html, page.css and page.js. Sections for which nothing was measured are left out. The page is whole without
// its script, which sorts tables and nothing else.

package main

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strconv"
)

//go:embed page/page.html page/page.css page/page.js
var pageFiles embed.FS

// pageView is what page.html shows.
type pageView struct {
	env       Env
	CrowdNote string
	FlagNote  string
	CSS       template.CSS
	JS        template.JS
	Env       []envField
	Rounds    string
	Families  []string
	Tallies   []procsTally
	Procs     []procsView
	Scaling   []lineChart
	Growth    []lineChart
	Memory    []lineChart
	Ablations []ablationView
	Profiles  []profileView
	Fairness  []fairView
	FairHeads []string
	FairNote  string
	ProfNote  string
	Floors    []floorView
	FloorNote string
	Docs      []pairDoc
	Columns   []column
	HasCI     bool // some interval is known
	HasFloor  bool // some pair has a floor
}

// procsTally is how the pairs of one value of -procs came out.
type procsTally struct {
	Procs int
	Total int
	outcome
}

// procsView is one value of -procs: a chart and a table.
type procsView struct {
	Procs int
	Chart barChart
	Rows  []resultRow
}

// resultRow is a row of a table. A cell is sorted by its key.
type resultRow struct {
	Result
	Family                           int
	Verdict                          verdict
	NativeCost, NativeRate           string
	UserrtCost, UserrtRate           string
	SpeedupText, Interval, SpreadPct string
	AboveText                        string
}

// column is a column of the tables of results. #sort=Key sorts by it.
type column struct{ Key, Label string }

// columns returns those for which there are data, in the order of the cells in page.html.
func (v *pageView) columns() []column {
	cs := []column{{"pair", "pair"}, {"native", "native"}, {"native-rate", "rate"}, {"userrt", "userrt"}, {"userrt-rate", "rate"}, {"speedup", "speedup"}}
	if v.HasCI {
		cs = append(cs, column{"interval", "interval"})
	}
	cs = append(cs, column{"spread", "spread"})
	if v.HasFloor {
		cs = append(cs, column{"floor", "above floor"}, column{"floor-of", "floor"})
	}
	return cs
}

type pairDoc struct {
	Name, Doc, Why string
	Family         int
}

// pageIndex knows what isn't in a Result: the sentences on each pair, and the numbers of the families.
type pageIndex struct {
	docs     map[string]string
	whys     map[string]string
	families []string
}

// family returns the number of a pair's family, or -1 for one that the filter does not know.
func (ix pageIndex) family(name string) int { return slices.Index(ix.families, family(name)) }

// knownPairs is what this version says of its pairs.
func knownPairs() pageIndex {
	ix := pageIndex{docs: map[string]string{}, whys: map[string]string{}}
	for _, p := range pairs() {
		ix.docs[p.Name], ix.whys[p.Name] = p.Doc, p.Why
	}
	return ix
}

// pairDocs are the sentences on the pairs in results, each pair once and in their order.
func (ix pageIndex) pairDocs(results []Result) (list []pairDoc) {
	for _, res := range results {
		doc := pairDoc{res.Name, ix.docs[res.Name], ix.whys[res.Name], ix.family(res.Name)}
		if doc.Doc != "" && !slices.Contains(list, doc) {
			list = append(list, doc)
		}
	}
	return list
}

// writeHTML writes the page.
func writeHTML(w io.Writer, rep *Report) error {
	tmpl, err := template.New("page.html").Funcs(template.FuncMap{"key": sortKey, "procs": rep.Env.procs}).ParseFS(pageFiles, "page/page.html")
	if err != nil {
		return err
	}
	view, err := newPageView(rep)
	if err != nil {
		return err
	}
	var b bytes.Buffer // so that w gets the whole page or nothing of it
	if err := tmpl.Execute(&b, view); err != nil {
		return err
	}
	_, err = w.Write(b.Bytes())
	return err
}

func newPageView(rep *Report) (*pageView, error) {
	css, err := pageFiles.ReadFile("page/page.css")
	if err != nil {
		return nil, err
	}
	js, err := pageFiles.ReadFile("page/page.js")
	if err != nil {
		return nil, err
	}
	known := knownPairs()
	known.families = families(rep.Results)
	v := &pageView{
		env:       rep.Env,
		CrowdNote: crowdNote(rep),
		FlagNote:  flagMeaning,
		CSS:       template.CSS(css),
		JS:        template.JS(js),
		Env:       knownEnv(rep.Env),
		Rounds:    roundsOf(rep.Env, mostRounds(rep.Results)),
		Families:  known.families,
		Scaling:   scalingCharts(rep.Results, known),
		Ablations: ablationViews(rep.Ablations, known),
		Profiles:  profileViews(rep.Profiles, known),
		ProfNote:  profileNote(),
		Fairness:  fairViews(rep.Results, known),
		FairHeads: fairHeads,
		FairNote:  fairNote(rep.Env),
		HasCI:     hasInterval(rep.Results),
		HasFloor:  hasFloor(rep.Results),
	}
	v.addResults(rep.Results, known)
	v.Columns = v.columns()
	for _, c := range curves(rep.Points) {
		if c.memory() {
			v.Memory = append(v.Memory, curveChart(c, rep.Env))
		} else {
			v.Growth = append(v.Growth, curveChart(c, rep.Env))
		}
	}
	v.Floors = floorViews(rep.Floors)
	v.FloorNote = floorNote(v.Floors)
	return v, nil
}

// addResults adds the chart and the table of each value of -procs, and the sentences on the pairs in them.
func (v *pageView) addResults(results []Result, known pageIndex) {
	var ratios []ratio
	for _, res := range results {
		ratios = append(ratios, ratio{res.Speedup, res.SpeedupCI})
	}
	v.Docs = known.pairDocs(results)
	s := ratioScale(ratios)
	for _, g := range byProcs(results) {
		view := procsView{Procs: g.procs, Chart: speedupChart(s, g, v.env.procs(g.procs), known)}
		for _, res := range g.results {
			view.Rows = append(view.Rows, newResultRow(res, known))
		}
		v.Procs = append(v.Procs, view)
		v.Tallies = append(v.Tallies, procsTally{g.procs, len(g.results), outcomeOf(g.results)})
	}
}

func newResultRow(res Result, known pageIndex) resultRow {
	return resultRow{
		Result:      res,
		Family:      known.family(res.Name),
		Verdict:     judge(res.Speedup, res.SpeedupCI, res.Spread),
		NativeCost:  shortCost(res.Native, res.Unit),
		NativeRate:  rate(res.Native, res.Unit),
		UserrtCost:  shortCost(res.Userrt, res.Unit),
		UserrtRate:  rate(res.Userrt, res.Unit),
		SpeedupText: threeDigits(res.Speedup),
		Interval:    shortInterval(res.SpeedupCI),
		SpreadPct:   percent(res.Spread),
		AboveText:   shortFloor(res),
	}
}

// sortKey is what a cell is sorted by: v, or nothing when that is no number that could be compared.
func sortKey(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// Share is the part of the pairs that n is, for the width of a strip.
func (t procsTally) Share(n int) string {
	return fmt.Sprintf("%.2f%%", 100*float64(n)/float64(max(t.Total, 1)))
}

// SlowerFrom is where the last part of the strip begins.
func (t procsTally) SlowerFrom() string { return t.Share(t.Faster + t.Undecided) }
