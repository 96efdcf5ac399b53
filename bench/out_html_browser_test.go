//go:build userrt_browser

// The page in a browser: sorting, filtering, light and dark, on paper, on a phone, and that no label lies on another.
//
//	go test -tags userrt_browser -run Browser ./bench
//
// Needs Chromium or Chrome, by one of its usual names in PATH or as USERRT_BROWSER. USERRT_SCREENSHOTS=dir keeps the pictures.

package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"html/template"
	"image"
	"image/png"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const browserTimeout = 3 * time.Minute

func findBrowser(t *testing.T) string {
	t.Helper()
	names := []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"}
	if name := os.Getenv("USERRT_BROWSER"); name != "" {
		names = []string{name}
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	require.FailNow(t, "no browser", "these tests need Chromium or Chrome; none of %v is in PATH, so name one in USERRT_BROWSER", names)
	return ""
}

// browse opens a page in a browser of its own and returns what that prints. What the page's console says fails the test, and so does
// whatever the page would load.
func browse(t *testing.T, page, hash string, args ...string) string {
	t.Helper()
	out, console := browseLoudly(t, page, hash, args...)
	require.Empty(t, console)
	return out
}

var consoleLine = regexp.MustCompile(`(?m)^.*\bCONSOLE\b.*$`)

func browseLoudly(t *testing.T, page, hash string, args ...string) (out, console string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.html")
	require.NoError(t, os.WriteFile(file, []byte(page), 0o600))
	ctx, cancel := context.WithTimeout(t.Context(), browserTimeout)
	defer cancel()
	args = append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--user-data-dir=" + t.TempDir(), "--enable-logging=stderr",
		"--hide-scrollbars", "--force-device-scale-factor=1",
	}, args...)
	cmd := exec.CommandContext(ctx, findBrowser(t), append(args, (&url.URL{Scheme: "file", Path: file, Fragment: hash}).String())...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &stdout, &stderr, time.Second
	err := cmd.Run()
	require.NoError(t, err, "%v: %s", ctx.Err(), &stderr)
	return stdout.String(), consoleLine.FindString(stderr.String())
}

// with appends a script to a page, which is run when all the rest has been.
func with(page, script string) string {
	return strings.Replace(page, "</body>", "<script>"+script+"</script></body>", 1)
}

// columnOf returns its head and the text of the cells of one column of the table of procs.
func columnOf(t *testing.T, d dom, procs int, key string) (head dom, cells []string) {
	t.Helper()
	table := d.byID(t, fmt.Sprintf("procs-%d", procs)).all("table", "results")[0]
	heads := table.all("thead", "")[0].all("th", "")
	for i, h := range heads {
		if h.attr("data-key") != key {
			continue
		}
		for _, row := range table.all("tbody", "")[0].all("tr", "") {
			cells = append(cells, row.find(func(e dom) bool { return e.Data == "th" || e.Data == "td" })[i].text())
		}
		return h, cells
	}
	require.FailNow(t, "no column", key)
	return dom{}, nil
}

// names returns the pairs of a table of the sample, in the order in which they were measured or sorted by a number.
func names(rep *Report, procs int, by func(Result) float64) (list []string) {
	for _, g := range byProcs(rep.Results) {
		if g.procs != procs {
			continue
		}
		sorted := slices.Clone(g.results)
		if by != nil {
			slices.SortStableFunc(sorted, func(a, b Result) int { return cmp.Compare(by(a), by(b)) })
		}
		for _, res := range sorted {
			list = append(list, res.Name)
		}
	}
	return list
}

func TestBrowserHearsTheConsole(t *testing.T) {
	_, console := browseLoudly(t, "<!DOCTYPE html><script>nothing.there()</script>", "", "--dump-dom")
	require.Contains(t, console, "nothing is not defined")
}

func TestBrowserSortsByAddress(t *testing.T) {
	rep := madeUpReport(t)
	page := pageOf(t, rep)
	for hash, c := range map[string]struct {
		key, sorted string
		by          func(Result) float64
	}{
		"sort=speedup":      {"speedup", "descending", func(r Result) float64 { return -r.Speedup }},
		"sort=-userrt":      {"userrt", "ascending", func(r Result) float64 { return r.Userrt }},
		"sort=-native-rate": {"native-rate", "ascending", func(r Result) float64 { return -r.Native }},
		"sort=nonsense":     {"speedup", "none", nil},
		"procs-2":           {"speedup", "none", nil},
		"":                  {"speedup", "none", nil},
	} {
		d := parsePage(t, browse(t, page, hash, "--dump-dom"))
		for _, procs := range []int{1, 2, 4} {
			head, _ := columnOf(t, d, procs, c.key)
			require.Equal(t, c.sorted, head.attr("aria-sort"), hash)
			_, got := columnOf(t, d, procs, "pair")
			require.Equal(t, names(rep, procs, c.by), got, hash)
		}
	}
}

func TestBrowserSortsByClick(t *testing.T) {
	rep := madeUpReport(t)
	page := pageOf(t, rep)
	click := `document.querySelector("#procs-2 [data-key=native] button").click();`
	for clicks, c := range []struct {
		sorted string
		by     func(Result) float64
	}{
		{"none", nil},
		{"descending", func(r Result) float64 { return -r.Native }},
		{"ascending", func(r Result) float64 { return r.Native }},
		{"none", nil},
	} {
		d := parsePage(t, browse(t, with(page, strings.Repeat(click, clicks)), "", "--dump-dom"))
		head, _ := columnOf(t, d, 2, "native")
		require.Equal(t, c.sorted, head.attr("aria-sort"))
		_, got := columnOf(t, d, 2, "pair")
		require.Equal(t, names(rep, 2, c.by), got)
		_, other := columnOf(t, d, 1, "pair")
		require.Equal(t, names(rep, 1, nil), other, "the other tables stay")
	}
	// Cells without a number come last both ways.
	floor := strings.Replace(click, "native", "floor", 1)
	for _, clicks := range []int{1, 2} {
		d := parsePage(t, browse(t, with(page, strings.ReplaceAll(strings.Repeat(floor, clicks), "procs-2", "procs-1")), "", "--dump-dom"))
		_, cells := columnOf(t, d, 1, "floor")
		require.NotEmpty(t, cells[4])
		for _, cell := range cells[5:] {
			require.Empty(t, cell)
		}
	}
}

// TestBrowserFilters takes a family away, which needs no script of the page.
func TestBrowserFilters(t *testing.T) {
	page := pageOf(t, madeUpReport(t))
	script := `
		const seen = () => [...document.querySelectorAll("#procs-1 .row, #procs-1 tbody tr, #scaling figure")].filter((e) => e.checkVisibility()).length;
		const before = seen();
		document.getElementById("family-1").click();
		document.title = before + " " + seen() + " " + [...document.querySelectorAll(".f1")].some((e) => e.checkVisibility());`
	title := parsePage(t, browse(t, with(page, script), "", "--dump-dom")).all("title", "")[0].text()
	require.Equal(t, "159 114 false", title, "54 rows, 54 bars and 51 curves, 15 of each of hchan's")
}

// screenshot returns a picture of the page.
func screenshot(t *testing.T, page, name string, args ...string) image.Image {
	t.Helper()
	file := filepath.Join(cmp.Or(os.Getenv("USERRT_SCREENSHOTS"), t.TempDir()), name+".png")
	browse(t, page, "", append(args, "--screenshot="+file)...)
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	img, err := png.Decode(f)
	require.NoError(t, err)
	return img
}

func TestBrowserLightAndDark(t *testing.T) {
	page := pageOf(t, madeUpReport(t))
	light := screenshot(t, page, "light", "--window-size=1200,2400", "--blink-settings=preferredColorScheme=1")
	dark := screenshot(t, page, "dark", "--window-size=1200,2400", "--blink-settings=preferredColorScheme=0")
	require.Equal(t, image.Pt(1200, 2400), light.Bounds().Size())
	require.Equal(t, light.Bounds(), dark.Bounds())
	ground := func(img image.Image) uint32 { _, g, _, _ := img.At(3, 3).RGBA(); return g >> 8 }
	require.Greater(t, ground(light), uint32(220))
	require.Less(t, ground(dark), uint32(50))
	for name, img := range map[string]image.Image{"light": light, "dark": dark} {
		colours := map[string]bool{}
		for x := 0; x < 1200; x += 3 {
			for y := 600; y < 2400; y += 3 {
				r, g, b, _ := img.At(x, y).RGBA()
				colours[fmt.Sprint(r>>8, g>>8, b>>8)] = true
			}
		}
		require.Greater(t, len(colours), 50, "%s: something is drawn", name)
	}
}

func TestBrowserPrints(t *testing.T) {
	file := filepath.Join(t.TempDir(), "page.pdf")
	browse(t, pageOf(t, madeUpReport(t)), "", "--no-pdf-header-footer", "--print-to-pdf="+file)
	pdf, err := os.ReadFile(file)
	require.NoError(t, err)
	require.True(t, bytes.HasPrefix(pdf, []byte("%PDF-")))
	require.GreaterOrEqual(t, len(regexp.MustCompile(`/Type\s*/Page\b`).FindAll(pdf, -1)), 5)
}

// TestBrowserFits looks at the page in frames of several widths: it never gets wider than its window, and no label touches another.
func TestBrowserFits(t *testing.T) {
	page := pageOf(t, madeUpReport(t))
	const look = `
		addEventListener("load", () => {
			const doc = document.querySelector("iframe").contentDocument, found = [];
			const wide = doc.documentElement.scrollWidth - doc.documentElement.clientWidth;
			if (wide > 0) found.push("wider than its window by " + wide);
			for (const svg of doc.querySelectorAll("svg.curves, svg.grid")) {
				const boxes = [...svg.querySelectorAll("text")].map((e) => [e.textContent, e.getBoundingClientRect()]);
				boxes.forEach(([a, x], i) => boxes.slice(i + 1).forEach(([b, y]) => {
					if (x.left < y.right && y.left < x.right && x.top + 2 < y.bottom && y.top + 2 < x.bottom)
						found.push("labels " + a + " and " + b + " of " + svg.querySelector("title")?.textContent);
				}));
			}
			for (const e of doc.querySelectorAll(".row .name, .row .value, .small figcaption"))
				if (e.scrollWidth > e.clientWidth + 1) found.push("too long: " + e.textContent.trim());
			document.title = found.length + " faults. " + found.slice(0, 5).join("; ");
		});`
	for _, width := range []int{360, 390, 768, 1200, 1600} {
		outer := fmt.Sprintf(`<!DOCTYPE html><title>not looked at</title><script>%s</script><iframe style="border:0;width:%s;height:3000px" srcdoc="%s"></iframe>`,
			look, strconv.Itoa(width)+"px", template.HTMLEscapeString(page))
		d := parsePage(t, browse(t, outer, "", "--dump-dom", "--window-size=1700,3000"))
		require.Equal(t, "0 faults.", d.all("title", "")[0].text(), "at a width of %d", width)
	}
}
