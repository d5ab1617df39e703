// Where names are written: none over another, none over a marker.

const CELL = 6;

/** Which parts of the canvas are taken, in cells of a few pixels. */
export class Occupancy {
  #cells = new Uint8Array(0);
  #columns = 0;
  #rows = 0;

  reset(width: number, height: number): void {
    this.#columns = Math.ceil(width / CELL) + 1;
    this.#rows = Math.ceil(height / CELL) + 1;
    const size = this.#columns * this.#rows;
    if (this.#cells.length === size) this.#cells.fill(0);
    else this.#cells = new Uint8Array(size);
  }

  /** Pixels; what lies outside of the canvas is nobody's. */
  take(left: number, top: number, width: number, height: number): void {
    this.#each(left, top, width, height, (at) => {
      this.#cells[at] = 1;
      return true;
    });
  }

  isFree(left: number, top: number, width: number, height: number): boolean {
    if (left < 0 || top < 0) return false;
    if (left + width > (this.#columns - 1) * CELL || top + height > (this.#rows - 1) * CELL) return false;
    return this.#each(left, top, width, height, (at) => this.#cells[at] === 0);
  }

  #each(left: number, top: number, width: number, height: number, visit: (at: number) => boolean): boolean {
    const lastColumn = Math.min(this.#columns - 1, Math.floor((left + width) / CELL));
    const lastRow = Math.min(this.#rows - 1, Math.floor((top + height) / CELL));
    for (let row = Math.max(0, Math.floor(top / CELL)); row <= lastRow; row += 1) {
      for (let column = Math.max(0, Math.floor(left / CELL)); column <= lastColumn; column += 1) {
        if (!visit(row * this.#columns + column)) return false;
      }
    }
    return true;
  }
}

export const LABEL_HEIGHT = 13;
const OFF = 16;

/** Left and top of a label of `width` about a marker, best first: below, above, right, left. */
export function spots(x: number, y: number, width: number): [number, number][] {
  return [
    [x - width / 2, y + OFF],
    [x - width / 2, y - OFF - LABEL_HEIGHT],
    [x + OFF, y - LABEL_HEIGHT / 2],
    [x - OFF - width, y - LABEL_HEIGHT / 2],
  ];
}
