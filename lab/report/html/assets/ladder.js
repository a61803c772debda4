// The ladder: slots laid out by order or to scale, of which those in sight are drawn.

const SLOT = 24, FRAME_SLOT = 29, GUTTER = 84, RIGHT = 10, RIBBON = 9, BRACKET = 8, MOST_RIBBONS = 4;
const SLOPE = 6, INSET = 9, STATE_WIDTH = 98, NARROW = 560, MOST_PROSE = 520, CHARACTER = 6.95, NOTE_LINE = 16, LABEL = 15, OVERSCAN = 600;
const PROSE = 'italic 12px system-ui, "Segoe UI", "DejaVu Sans", sans-serif', PROSE_PADDING = 6;

class Ladder {
  /** `view` says what is shown: filters, axis, zoom, found, revealed; `choose` is told of clicks. */
  constructor(part, view, choose) {
    this.part = part;
    this.scene = part.scene;
    this.view = view;
    this.choose = choose;
    this.canvas = document.getElementById('canvas');
    this.slotsOf = this._slotsByEvent();
    this.drawn = null;
  }

  _slotsByEvent() {
    const found = new Map();
    this.scene.slots.forEach(([, , event], slot) => {
      if (event >= 0 && !found.has(event)) found.set(event, slot);
    });
    return found;
  }

  kindOf(slot) { return this.scene.kinds[this.scene.slots[slot][0]]; }

  /** Places of everything, anew: after a filter, another axis, another width. */
  layOut() {
    this.width = this.canvas.clientWidth;
    this.columns = this.scene.lanes.map(() => ({ ribbons: 0, brackets: 0, states: 0 }));
    for (const ribbon of this.scene.ribbons) {
      const of = this.columns[ribbon.lane];
      of.ribbons = Math.max(of.ribbons, Math.min(ribbon.column + 1, MOST_RIBBONS));
      // Where there is no room to name states, their colours say them.
      if (!ribbon.measured && this.width >= NARROW) of.states = STATE_WIDTH;
    }
    for (const call of this.scene.calls) {
      const of = this.columns[call.lane];
      of.brackets = Math.max(of.brackets, call.column + 1);
    }
    this.sides = this._sides();
    this.notes = new Map(this.scene.notes.map((note) => [note.slot, note]));
    this.shown = this.scene.slots.map((slot, number) => this._isShown(number));
    this.tops = this.view.axis === 'scale' ? this._topsToScale() : this._topsByOrder();
    this.order = this._eventsInOrder();
    this.height = (this.tops.length ? Math.max(...this._lastTops()) : 0) + SLOT + 14;
    this.canvas.style.height = `${this.height}px`;
    this.drawn = null;
    this._drawLanes();
  }

  _lastTops() { return [0, this.bottom]; }

  _isShown(slot) {
    const [, , event, , fold] = this.scene.slots[slot];
    const kind = this.kindOf(slot);
    if (fold >= 0 && !this.view.folds) return false;
    if (kind === 'fold') return !this.view.folds;
    if (event >= 0 && !this.view.shows(this.part.events[event], event)) return false;
    if (kind === 'heading') return this.view.frame && this.view.revealed === null && !this.view.flow;
    if (kind === 'transfer' || kind === 'queue') return this.view.call;
    if (kind === 'drop') return this.view.frame;
    return true;
  }

  _topsByOrder() {
    let at = 6;
    const tops = this.scene.slots.map((slot, number) => {
      const top = at;
      if (this.shown[number]) at += this._heightOf(number);
      return top;
    });
    this.bottom = at;
    return tops;
  }

  _heightOf(slot) {
    const note = this.notes.get(slot);
    if (!note) return ['frame', 'transfer'].includes(this.kindOf(slot)) ? FRAME_SLOT : SLOT;
    return linesOf(note.text, this._roomOf(note.lane) - PROSE_PADDING) * NOTE_LINE + 6;
  }

  /** How wide a remark in a lane may be. */
  _roomOf(lane) { return Math.min(this.sides[lane].room, MOST_PROSE); }

  /** A pixel is as long everywhere; what stands too close to be read has no text. */
  _topsToScale() {
    const times = this.scene.slots.map(([, time]) => time).filter((time) => time !== null);
    const first = Math.min(0, ...times.slice(0, 1)), last = times.reduce((a, b) => Math.max(a, b), 1);
    const natural = Math.min(Math.max(times.length * SLOT * 1.5, 700), 30000);
    this.perNs = natural * this.view.zoom / Math.max(last - first, 1);
    let before = 0;
    const tops = this.scene.slots.map(([, time]) => {
      if (time !== null) before = (time - first) * this.perNs;
      return 6 + before;
    });
    this.bottom = 6 + (last - first) * this.perNs;
    return tops;
  }

  /** Where lanes' lines and texts are; ribbons and brackets are on the other side of a line. */
  _sides() {
    const { lanes } = this.scene;
    const outside = this.columns.map(({ ribbons, brackets, states }) => 8 + ribbons * RIBBON + brackets * BRACKET + states);
    const first = GUTTER + (outside[0] || 0), last = this.width - RIGHT - (lanes.length > 1 ? outside.at(-1) : 0);
    const gap = (last - first) / Math.max(lanes.length - 1, 1);
    return lanes.map(({ place, inward }, number) => {
      const edge = first + place * (last - first);
      const isMiddle = number > 0 && number < lanes.length - 1;
      return { inward, edge, outside: outside[number], text: edge + inward * INSET, room: Math.max(gap - 2 * INSET - (isMiddle ? outside[number] : 0), 60) };
    });
  }

  _ends(from, to) { return [this.sides[from].edge, this.sides[to].edge]; }

  /** Events by number in the order in which they are met on the way down. */
  _eventsInOrder() {
    const seen = new Set();
    this.scene.slots.forEach(([, , event], slot) => {
      const kind = this.kindOf(slot);
      if (event >= 0 && this.shown[slot] && kind !== 'note' && kind !== 'transfer') seen.add(event);
    });
    return [...seen];
  }

  /** The base line of a slot; of one that is not shown that of the nearest above. */
  middle(slot) { return this.tops[slot] + 12; }

  topOf(event) {
    const slot = this.slotsOf.get(event);
    return slot === undefined ? null : this.tops[slot];
  }

  _drawLanes() {
    const lanes = document.getElementById('lanes');
    lanes.replaceChildren(...this.scene.lanes.map((lane, number) => {
      const { inward, edge, room } = this.sides[number];
      const name = element('div', { title: lane.programs }, lane.name, element('small', {}, lane.addresses));
      Object.assign(name.style, inward > 0
        ? { left: `${edge}px`, maxWidth: `${room / 2}px` }
        : { right: `${this.width - edge}px`, maxWidth: `${room / 2}px`, textAlign: 'right' });
      return name;
    }));
  }

  /** Draw what is in sight, unless that is drawn. */
  draw({ whole = false } = {}) {
    const box = this.canvas.getBoundingClientRect();
    let from = Math.max(0, -box.top - OVERSCAN), to = Math.min(this.height, -box.top + innerHeight + OVERSCAN);
    if (whole) [from, to] = [0, this.height];
    if (this.drawn && !whole && this.drawn.from <= Math.max(0, -box.top - 60) &&
        this.drawn.to >= Math.min(this.height, -box.top + innerHeight + 60)) return;
    this.drawn = { from, to };
    this._paint(from, to);
  }

  _paint(from, to) {
    const svg = drawing('svg', {
      width: this.width, height: Math.max(to - from, 0), viewBox: `0 ${from} ${this.width} ${Math.max(to - from, 1)}`, 'aria-hidden': 'true',
    });
    svg.style.top = `${from}px`;
    this.svg = svg;
    this.labels = [];
    this.taken = {};
    const inSight = (first, last) => this.tops[last] + 60 >= from && this.tops[first] - 60 <= to;
    this._paintRails(from, to);
    for (const ribbon of this.scene.ribbons) if (inSight(...ribbon.slots)) this._paintRibbon(ribbon, from, to);
    for (const call of this.scene.calls) if (inSight(...call.slots)) this._paintCall(call, from, to);
    for (const arrow of this.scene.arrows) if (inSight(...arrow.slots)) this._paintArrow(arrow);
    for (const transfer of this.scene.transfers) if (inSight(transfer.slot, transfer.slot)) this._paintTransfer(transfer);
    for (const tag of this.scene.tags) if (inSight(tag.slot, tag.slot)) this._paintTag(tag);
    if (this.view.axis === 'order') this._paintProse(inSight);
    this._paintTimes(inSight);
    this.canvas.replaceChildren(svg, ...this.labels);
  }

  _paintRails(from, to) {
    for (const { edge } of this.sides) {
      this.svg.append(drawing('path', { class: 'rail', d: `M${edge} ${from}V${to}` }));
    }
  }

  _paintRibbon(ribbon, from, to) {
    if (ribbon.column >= MOST_RIBBONS || !this.view.state) return;
    const side = this.sides[ribbon.lane];
    const x = side.edge - side.inward * (4 + ribbon.column * RIBBON);
    const top = Math.max(this.middle(ribbon.slots[0]) - 3, from - 5), end = Math.min(this.middle(ribbon.slots[1]) - 3, to + 5);
    if (end <= top) return;
    const strip = drawing('rect', {
      class: ribbon.group, x: side.inward < 0 ? x : x - RIBBON + 3, y: top, width: RIBBON - 3, height: end - top, rx: 1.5,
    }, titled(`${ribbon.connection} ${ribbon.state}${ribbon.measured ? ', by the kernel' : ', sampled or implied by the frames'}`));
    this.svg.append(strip);
    if (this.columns[ribbon.lane].states && !ribbon.measured && this.shown[ribbon.slots[0]] && top >= from) {
      const right = side.inward < 0, of = this.columns[ribbon.lane];
      const beside = side.edge - side.inward * (6 + of.ribbons * RIBBON + of.brackets * BRACKET);
      this._place({ event: -1, classes: 'muted', group: `states${ribbon.lane}`, top: this.tops[ribbon.slots[0]] + 3, room: STATE_WIDTH, x: beside, right, parts: [ribbon.state], title: ribbon.state });
    }
  }

  _paintCall(call, from, to) {
    const [start, end] = call.slots;
    if (!this.shown[start] && !this.shown[end]) return;
    const side = this.sides[call.lane];
    const x = side.edge - side.inward * (5 + this.columns[call.lane].ribbons * RIBBON + call.column * BRACKET);
    const top = Math.max(this.middle(start) - 8, from - 5), bottom = Math.min(this.middle(end) + 6, to + 5);
    const chosen = call.event === this.view.chosen ? ' chosen' : '';
    this.svg.append(drawing('rect', {
      class: `bracket${call.fault ? ' fault' : ''}${chosen}`, rx: 2, width: BRACKET - 3,
      x: side.inward < 0 ? x : x - BRACKET + 3, y: top, height: Math.max(bottom - top, 3),
    }, titled(`${call.label} ${call.text} took ${milliseconds(call.ns)} ms`)));
    const took = call.ns !== null && (start !== end || call.ns >= 1e6) ? `  ${milliseconds(call.ns)} ms` : '';
    const classes = call.fault ? 'fault' : '';
    const common = { event: call.event, lane: call.lane, bold: call.label };
    if (start === end) {
      const text = call.text ? `${call.text} = ${call.outcome}` : call.outcome;
      this._text({ ...common, slot: start, classes, parts: [` ${text}`], quiet: took });
      return;
    }
    this._text({ ...common, slot: start, classes: '', parts: [` ${call.text}`] });
    if (call.outcome) this._text({ ...common, slot: end, classes, parts: [` ${call.outcome}`], quiet: took });
  }

  _paintArrow(arrow) {
    const [start, end] = arrow.slots;
    if (!this.shown[start] && !this.shown[end]) return;
    let [x1, x2] = this._ends(arrow.from, arrow.to);
    let y1 = this.middle(start) + 9, y2 = this.middle(end) + 9;
    if (start === end && this.view.axis === 'order') y2 += SLOPE - 2;
    const chosen = arrow.event === this.view.chosen ? ' chosen' : '';
    const group = drawing('g', { class: `${arrow.kind}${chosen}` });
    this.svg.append(group);
    if (x1 === x2) {
      const way = this.sides[arrow.from].inward * 56;
      group.append(drawing('path', { class: 'arrow', d: `M${x1} ${y1 - 8}h${way}V${y2}H${x1}` }), head(x1 + way, y2, x1, y2));
      this._wireText(arrow, x1 + way, x1 + way * 5, y1);
      return;
    }
    const why = arrow.dropped || 'lost: seen leaving, not arriving', wide = Math.abs(x2 - x1);
    if (arrow.lost) {
      // Where it ends leaves room for why, unless there is too little for that in any case.
      const room = 1 - (why.length * CHARACTER + 18) / wide;
      const own = ([arrow.label, ...arrow.notes].join(', ').length + 4) * CHARACTER / wide;
      const share = room < 0.25 ? 0.62 : Math.min(0.62, Math.max(room, own));
      x2 = x1 + (x2 - x1) * share;
      y2 = y1 + (y2 - y1) * share;
    }
    group.append(drawing('path', { class: 'arrow', d: `M${x1} ${y1}L${x2 - Math.sign(x2 - x1) * (arrow.lost ? 0 : 4)} ${y2}` }));
    if (!arrow.lost) group.append(head(x1, y1, x2, y2));
    if (arrow.lost || arrow.dropped) {
      group.append(drawing('path', { class: 'arrow rst', d: `M${x2 - 5} ${y2 - 5}l10 10m-10 0l10 -10` }));
      if (arrow.lost) this._free(why, wide - Math.abs(x2 - x1) - 12, x2 + (x2 > x1 ? 9 : -9), y2 - 9, x2 > x1, 'fault', arrow);
    }
    // One that begins among folded ones is named where it arrives.
    this._wireText(arrow, x1, x2, this.shown[start] ? y1 : y2);
  }

  _wireText(arrow, x1, x2, y) {
    // What leaves a lane on the side of its ribbons is named beyond them, and before those of the next.
    const right = x2 > x1, side = this.sides[arrow.from], next = this.sides[arrow.to];
    const inset = right === side.inward > 0 || x1 !== side.edge ? 0 : side.outside;
    const ahead = right === next.inward > 0 && x2 === next.edge ? next.outside : 0;
    const room = Math.abs(x2 - x1) - 22 - inset - ahead;
    const notes = arrow.notes.length ? `  [${arrow.notes.join(', ')}]` : '';
    const label = arrow.label + notes;
    const left = Math.floor(room / CHARACTER) - label.length - 2;
    const payload = arrow.payload && left > 8 ? arrow.payload : '';
    const shown = payload.length > left ? `${payload.slice(0, Math.max(left - 1, 0))}…` : payload;
    this._place({
      event: arrow.event, classes: `on-wire ${arrow.kind}${arrow.dropped ? ' fault' : ''}`, group: `lane${arrow.from}`,
      top: y - 21, room, x: right ? x1 + 8 + inset : x1 - 8 - inset, right,
      parts: right ? [label, shown && quiet(`  ${shown}`)] : [shown && quiet(`${shown}  `), label],
      title: `${arrow.label}${notes} ${arrow.payload}`,
    });
  }

  _free(text, room, x, top, right, classes, arrow) {
    this._place({ event: arrow.event, classes: `on-wire ${classes}`, group: '', top, room, x, right, parts: [text], title: text });
  }

  _paintTransfer(transfer) {
    if (!this.shown[transfer.slot]) return;
    const [x1, x2] = this._ends(transfer.from, transfer.to), y = this.middle(transfer.slot) + 9;
    if (x1 === x2) return;
    const group = drawing('g', { class: 'other' });
    group.append(drawing('path', { class: 'arrow transfer', d: `M${x1} ${y}L${x2} ${y + SLOPE - 2}` }), head(x1, y, x2, y + SLOPE - 2));
    this.svg.append(group);
    const text = `${plural(transfer.moved, 'byte')}, through the kernel`;
    const right = x2 > x1;
    this._place({ event: transfer.event, classes: 'on-wire muted', group: 'transfers', top: y - 20, room: Math.abs(x2 - x1) - 20, x: right ? x1 + 8 : x1 - 8, right, parts: [text], title: text });
  }

  _paintTag(tag) {
    if (!this.shown[tag.slot]) return;
    this._text({ event: tag.event, lane: tag.lane, slot: tag.slot, classes: tag.kind === 'drop' ? 'drop' : 'muted', parts: [tag.text] });
  }

  _paintProse(inSight) {
    for (const heading of this.scene.headings) {
      if (!this.shown[heading.slot] || !inSight(heading.slot, heading.slot)) continue;
      const line = element('div', { class: 'heading', title: heading.text }, element('b', {}, heading.title), heading.text);
      line.style.top = `${this.tops[heading.slot] + 1}px`;
      this.labels.push(line);
    }
    for (const note of this.scene.notes) {
      if (!this.shown[note.slot] || !inSight(note.slot, note.slot)) continue;
      this._text({ lane: note.lane, slot: note.slot, classes: 'prose', parts: [note.text] });
    }
    for (const fold of this.scene.folds) {
      if (!this.shown[fold.slot] || !inSight(fold.slot, fold.slot)) continue;
      this._text({ lane: fold.lane || 0, slot: fold.slot, classes: 'muted', parts: [fold.text] });
    }
  }

  _paintTimes(inSight) {
    let last = -LABEL;
    this.scene.slots.forEach(([, time, , concurrent], slot) => {
      if (time === null || !this.shown[slot] || !inSight(slot, slot)) return;
      if (this.tops[slot] - last < LABEL) return;
      last = this.tops[slot];
      const text = element('span', { class: 'text end time' }, `${concurrent ? '∥ ' : ''}${milliseconds(time)}`);
      Object.assign(text.style, { left: '0', width: `${GUTTER - 12}px`, top: `${last + 3}px` });
      if (concurrent) text.title = 'It may have come before the event above.';
      this.labels.push(text);
    });
  }

  /** A text in a lane. */
  _text({ event = -1, lane, slot, classes, bold = '', parts, quiet: after = '' }) {
    if (!this.shown[slot]) return;
    const side = this.sides[lane];
    this._place({
      event, classes, group: `lane${lane}`, top: this.tops[slot] + 3, room: classes === 'prose' ? this._roomOf(lane) : side.room, x: side.text, right: side.inward > 0,
      parts: [bold && element('b', {}, bold), ...parts, after && quiet(after)], title: bold + parts.join('') + after,
    });
  }

  _place({ event, classes, group, top, room, x, right, parts, title }) {
    // To scale, what would cover the text before it has none.
    if (this.view.axis === 'scale' && group) {
      if (top - (this.taken[group] ?? -LABEL) < LABEL && event !== this.view.chosen) return;
      this.taken[group] = top;
    }
    const isButton = event >= 0;
    const chosen = isButton && event === this.view.chosen ? ' chosen' : this.view.related.has(event) ? ' related' : '';
    const text = element(isButton ? 'button' : 'span', {
      class: `text ${classes}${right ? '' : ' end'}${chosen}`, title,
      ...(isButton ? { type: 'button', tabindex: -1, 'data-event': this.part.events[event].id, on: { click: () => this.choose(event) } } : {}),
    });
    text.append(...parts.filter((each) => each).map((each) => (typeof each === 'string' ? this._marked(each) : each)));
    Object.assign(text.style, right
      ? { left: `${x}px`, top: `${top}px`, maxWidth: `${room}px` }
      : { right: `${this.width - x}px`, top: `${top}px`, maxWidth: `${room}px` });
    this.labels.push(text);
  }

  /** A text with what was searched for marked in it. */
  _marked(text) {
    const word = this.view.search;
    const at = word ? text.toLowerCase().indexOf(word) : -1;
    if (at < 0) return text;
    const marked = document.createDocumentFragment();
    marked.append(text.slice(0, at), element('mark', {}, text.slice(at, at + word.length)), text.slice(at + word.length));
    return marked;
  }
}

/** How many lines a remark takes, broken between words as CSS does it; .prose has the same font. */
function linesOf(text, room) {
  const pen = linesOf.pen ??= document.createElement('canvas').getContext('2d');
  pen.font = PROSE;
  const space = pen.measureText(' ').width;
  let lines = 1, used = 0;
  for (const word of text.split(' ')) {
    const width = pen.measureText(word).width;
    if (used && used + space + width > room) {
      lines += 1;
      used = width;
    } else used += (used ? space : 0) + width;
  }
  return lines;
}

function quiet(text) { return element('i', {}, text); }

function head(x1, y1, x2, y2) {
  const angle = Math.atan2(y2 - y1, x2 - x1);
  const at = (turn) => `${x2 + 8 * Math.cos(angle + turn)} ${y2 + 8 * Math.sin(angle + turn)}`;
  return drawing('path', { class: 'head', d: `M${x2} ${y2}L${at(2.7)}L${at(-2.7)}Z` });
}
