// A table of what was measured, as it stands in docs/gateway.md.
export class Table {
  #rows = new Map();

  constructor(corner, columns) {
    Object.assign(this, { corner, columns });
  }

  set(row, column, cell) {
    this.#rows.set(row, { ...this.#rows.get(row), [column]: cell });
  }

  print() {
    const line = (cells) => `| ${cells.join(' | ')} |`;
    const rows = [...this.#rows].map(([row, cells]) => line([row, ...this.columns.map((column) => cells[column] ?? '-')]));
    if (rows.length > 0) {
      console.log([line([this.corner, ...this.columns]), line(['---', ...this.columns.map(() => '---')]), ...rows].join('\n'));
    }
  }
}
