// Sorts the tables: a click on a column's head, or Enter on it, sorts by it, a second one the other way, a third puts the measured order
// back. #sort=speedup in the address sorts all tables, #sort=-speedup the other way.
"use strict";
(() => {
  const tables = [...document.querySelectorAll("table.results")].map((table) => {
    const body = table.tBodies[0];
    return { body, heads: [...table.tHead.rows[0].cells], rows: [...body.rows] };
  });

  // Cells without a number come last, whichever way the others go.
  const compare = (column, way) => (a, b) => {
    const x = a.cells[column].dataset.v, y = b.cells[column].dataset.v;
    if (x === undefined) return way * a.cells[column].textContent.localeCompare(b.cells[column].textContent);
    if (x === "" || y === "") return (x === "") - (y === "");
    const sign = a.cells[column].hasAttribute("data-down") ? -way : way;
    return sign * (Number(x) - Number(y));
  };

  // way is 1 for ascending, -1 for descending and 0 for the measured order.
  const sort = (table, column, way) => {
    table.heads.forEach((head, i) => {
      head.setAttribute("aria-sort", i !== column || way === 0 ? "none" : way > 0 ? "ascending" : "descending");
    });
    table.body.append(...(way === 0 ? table.rows : [...table.rows].sort(compare(column, way))));
  };

  for (const table of tables) {
    table.heads.forEach((head, column) => {
      head.firstElementChild.addEventListener("click", () => {
        const first = column === 0 ? 1 : -1; // names from a, numbers from the largest
        const now = { ascending: 1, descending: -1, none: 0 }[head.getAttribute("aria-sort")];
        sort(table, column, now === 0 ? first : now === first ? -first : 0);
      });
    });
  }

  const fromAddress = () => {
    const wanted = /^#sort=(-?)(.+)$/.exec(decodeURIComponent(location.hash));
    if (!wanted) return;
    for (const table of tables) {
      const column = table.heads.findIndex((head) => head.dataset.key === wanted[2]);
      if (column >= 0) sort(table, column, wanted[1] ? 1 : -1);
    }
  };
  addEventListener("hashchange", fromAddress);
  fromAddress();
})();
