// The pane that shows the chosen event: fields and bytes, the decoded call, causes and effects.

class Detail {
  /** `isShown` is asked of an event's number: what is not revealed yet is not told. */
  constructor(part, telling, isShown, choose, step) {
    this.part = part;
    this.telling = telling;
    this.isShown = isShown;
    this.choose = choose;
    this.step = step;
    this.pane = document.getElementById('detail');
    this.effects = new Map();
    this.printed = new Map(part.events.flatMap((event, number) => ('same' in event ? [[event.same, number]] : [])));
    part.events.forEach((event, number) => {
      for (const [cause, why] of event.causes || []) {
        if (!this.effects.has(cause)) this.effects.set(cause, []);
        this.effects.get(cause).push([number, why]);
      }
    });
  }

  /** The events that the chosen one has to do with. */
  related(number) {
    const causes = (this.part.events[number].causes || []).map(([cause]) => cause);
    return new Set([...causes, ...this._same(number), ...(this.effects.get(number) || []).map(([effect]) => effect)]);
  }

  /** A printed call's traced one, and the other way round. */
  _same(number) {
    const { same } = this.part.events[number];
    return [same, this.printed.get(number)].filter((each) => each !== undefined);
  }

  clear() { this.pane.replaceChildren(); }

  show(number) {
    const event = this.part.events[number];
    const body = { frame: this._frame, 'system call': this._call }[event.kind] || this._other;
    this.pane.replaceChildren(
      element('nav', {},
        element('button', { type: 'button', on: { click: () => this.step(-1) } }, '↑ previous'),
        element('button', { type: 'button', on: { click: () => this.step(1) } }, '↓ next'),
        element('button', { type: 'button', 'aria-label': 'Close', on: { click: () => this.choose(null) } }, '✕')),
      element('h3', {}, element('span', {}, event.id), ` ${event.title}`),
      ...body.call(this, event),
      ...this._links('same' in event ? 'Traced as' : 'Printed as', this._same(number).filter(this.isShown).map((each) => [each, ''])),
      ...this._links('Caused by', event.causes || []),
      ...this._links('Caused', (this.effects.get(number) || []).filter(([effect]) => this.isShown(effect))),
      ...this._where(event),
    );
    this.pane.scrollTop = 0;
  }

  _facts(...pairs) {
    const list = element('dl');
    for (const [name, value] of pairs) {
      if (value === '' || value === null || value === undefined) continue;
      list.append(element('dt', {}, name), element('dd', {}, value));
    }
    return list;
  }

  _links(title, pairs) {
    if (!pairs.length) return [];
    return [element('h4', {}, title), element('ul', {}, ...pairs.map(([number, why]) => {
      const event = this.part.events[number];
      return element('li', {}, element('a', { href: addressOf(this.part.name, event.id), title: event.title }, event.id), ` ${short(event.title)}`,
        why ? element('span', { class: 'quiet' }, ` — ${why}`) : null);
    }))];
  }

  _where(event) {
    const filter = event.packet ? `frame.number == ${event.packet}` : event.filter || (event.bytes ? frameFilter(fieldsOf(event, this.part), this.telling) : '');
    return [
      ...(event.section ? [element('h4', {}, 'To read'), element('p', { style: { margin: 0 } }, event.section)] : []),
      ...(filter ? [element('h4', {}, 'In Wireshark'), element('code', {}, filter)] : []),
    ];
  }

  _frame(event) {
    const [sent, received] = event.at;
    const both = sent !== null && received !== null && sent !== received;
    return [
      this._facts(
        ['left', sent === null ? '' : `${milliseconds(sent)} ms${event.from ? `, ${event.from}` : ''}`],
        ['arrived', received === null ? 'was not seen' : `${milliseconds(received)} ms${event.to ? `, ${event.to}` : ''}`],
        ['under way', both ? `${milliseconds(received - sent)} ms` : ''],
        ['packet', event.packet],
        ['flow', event.flow],
        ['phase', event.phase],
        ['length', `${plural(event.size, 'byte')} on the wire`],
        ['states', (event.states || []).filter(Boolean).join(' → ')],
        ['notes', (event.notes || []).join(', ')],
      ),
      ...this._dissection(event),
    ];
  }

  _dissection(event) {
    const fields = fieldsOf(event, this.part);
    const bytes = bytesFromBase64(event.bytes);
    const shown = bytes.length < (event.captured || bytes.length) ? ` (the first ${bytes.length} of ${event.captured} captured)` : '';
    const dump = new HexDump(bytes, (at) => pick(smallestAt(fields, at), true));
    const rows = new Map();
    const pick = (field, scrolls) => {
      if (!field) return;
      for (const [each, row] of rows) row.classList.toggle('chosen', each === field);
      dump.mark(field.first, field.end);
      const row = rows.get(field);
      row.closest('details').open = true;
      if (scrolls) row.scrollIntoView({ block: 'nearest' });
      filter.textContent = field.filter;
      filter.hidden = !field.filter;
    };
    const filter = element('code', { hidden: true });
    const headers = [];
    for (const field of fields) {
      if (!headers.length || headers.at(-1).name !== field.header) headers.push({ name: field.header, fields: [] });
      headers.at(-1).fields.push(field);
    }
    const tables = headers.map(({ name, fields: own }, place) => {
      const isOpen = place === headers.length - 1 || /^(TCP|UDP|ARP|ICMP)/.test(name) && !/option/.test(name);
      const table = element('table', { class: 'fields' }, element('tbody', {}, ...own.map((field) => {
        const row = element('tr', {},
          element('td', { class: 'at', title: `bit ${field.firstBit} of the frame` }, placeOf(field)),
          element('th', { scope: 'row' }, element('button', { type: 'button', on: { click: () => pick(field, false) } }, field.name)),
          element('td', {}, element('div', {}, element('span', {}, field.value, field.meaning ? element('em', {}, ` ${field.meaning}`) : null),
            element('span', { class: 'raw' }, rawOf(field)))));
        row.addEventListener('click', () => pick(field, false));
        rows.set(field, row);
        return row;
      })));
      return element('details', { open: isOpen }, element('summary', {}, name, element('small', {}, ` ${own[0].source}`)), table);
    });
    return [
      element('h4', {}, `Bytes${shown}`), dump.root, filter,
      element('h4', {}, 'Fields: offset, name, value'), ...tables,
    ];
  }

  _call(event) {
    const [entry, exit] = event.at;
    const data = bytesFromHex(event.data);
    return [
      this._facts(
        ['program', `${event.program}, on ${event.host}`],
        ['thread', event.pid === event.tid ? `${event.tid}` : `${event.tid} of process ${event.pid}`],
        ['entered', `${milliseconds(entry)} ms`],
        ['returned', exit === null ? 'it had not, when its program ended' : `${milliseconds(exit)} ms`],
        ['in the kernel', exit === null ? '' : `${milliseconds(exit - entry)} ms`],
        ['socket', event.socket],
        ['bytes moved', event.moved || ''],
      ),
      ...('source' in event ? this._source(this.part.sources[event.source]) : []),
      element('h4', {}, event.name),
      element('table', { class: 'fields' }, element('tbody', {},
        ...event.arguments.map(([name, value]) => element('tr', {}, element('th', { scope: 'row' }, name), element('td', {}, element('code', {}, value)))),
        element('tr', {}, element('th', { scope: 'row' }, 'result'), element('td', {}, element('code', {}, event.result))))),
      ...(data.length ? [element('h4', {}, data.length < event.moved ? `The first ${data.length} bytes moved` : 'Bytes moved'), new HexDump(data, () => {}).root] : []),
    ];
  }

  /** The line of the program's source that made the call, among those around it. */
  _source(source) {
    const lines = source.text.map((text, place) => {
      const number = source.first + place;
      const isIt = number === source.number;
      return element('li', { class: isIt ? 'chosen' : '', 'aria-current': isIt ? 'true' : null },
        element('span', { class: 'at' }, String(number)), element('span', {}, text));
    });
    return [
      element('h4', {}, 'Source', element('small', {}, ` ${source.file}, line ${source.number}, in ${source.function}`)),
      ...(lines.length ? [element('ol', { class: 'source' }, ...lines)] : []),
      ...(source.through ? [element('p', { class: 'quiet' }, `by way of ${source.through}`)] : []),
    ];
  }

  _other(event) {
    return [this._facts(
      ['at', event.at[0] === null ? '' : `${milliseconds(event.at[0])} ms`], ['program', event.program], ['host', event.host], ['obtained', event.obtained], ['socket', event.socket],
      ['local', event.local], ['remote', event.remote], ['reason', event.reason], ['interface', event.interface],
      ['length', event.length ? plural(event.length, 'byte') : ''],
    )];
  }
}

const LINE = 8;

/** Bytes in lines of 8, as numbers and as text; those of a field can be marked. */
class HexDump {
  constructor(bytes, pick) {
    this.cells = Array.from(bytes, () => []);
    this.root = element('div', { class: 'hex' });
    for (let start = 0; start < bytes.length; start += LINE) {
      const line = Array.from(bytes.subarray(start, start + LINE));
      const cell = (text, at) => {
        const made = element('i', { 'data-at': at, on: { click: () => pick(at) } }, text);
        this.cells[at].push(made);
        return made;
      };
      const numbers = line.flatMap((byte, place) => [cell(hex([byte]), start + place), place === 3 ? '  ' : ' ']);
      const text = line.map((byte, place) => cell(byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '·', start + place));
      this.root.append(element('span', { class: 'at' }, start.toString(16).padStart(4, '0')),
        element('span', {}, ...numbers), element('span', {}, ...text));
    }
  }

  mark(first, end) {
    this.cells.forEach((cells, at) => {
      for (const cell of cells) cell.classList.toggle('chosen', at >= first && at < end);
    });
  }
}

/** The field with the fewest bits that has one in that byte. */
function smallestAt(fields, at) {
  return fields.filter((field) => field.first <= at && at < field.end).sort((a, b) => a.bits - b.bits)[0];
}

function placeOf(field) {
  const bit = field.firstBit % 8;
  return bit || field.bits % 8 ? `${field.first}.${bit}` : String(field.first);
}

function rawOf(field) {
  const isWhole = field.firstBit % 8 === 0 && field.bits % 8 === 0;
  if (isWhole) return hex(field.raw.subarray(0, 16), field.raw.length > 8 ? ' ' : '') + (field.raw.length > 16 ? '…' : '');
  const all = Array.from(field.raw, (byte) => byte.toString(2).padStart(8, '0')).join('');
  const start = field.firstBit - field.first * 8;
  return [...all].map((bit, place) => (place >= start && place < start + field.bits ? bit : '·')).join('');
}

function short(text) { return text.length > 60 ? `${text.slice(0, 58)}…` : text; }

function addressOf(part, event) { return `#${encodeURIComponent(part)}/${encodeURIComponent(event)}`; }
