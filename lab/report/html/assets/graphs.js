// The byte rulers, and a TCP flow's numbers over time.

const WIDE = 1200;

/** Three rows over one stream: which calls sent its bytes, what carried them, which reads got them. */
function rulerOf(ruler, part, choose) {
  const row = 22, left = 74, height = ruler.rows.length * (row + 4) + 20;
  const across = (byte) => left + byte / ruler.length * (WIDE - left - 10);
  const svg = drawing('svg', { viewBox: `0 0 ${WIDE} ${height}`, role: 'group', 'aria-label': `${ruler.title}: ${ruler.counts}` });
  ruler.rows.forEach(([name, spans], place) => {
    const y = place * (row + 4);
    const label = drawing('text', { x: left - 10, y: y + 15, 'text-anchor': 'end' });
    label.append(name);
    svg.append(label);
    for (const [number, start, end] of spans) {
      const x = across(start), width = Math.max(across(end) - x, 1.5);
      const event = part.events[number];
      const box = drawing('rect', { class: name === 'segments' ? 'wire' : 'calls', x, y, width, height: row, rx: 3, 'data-event': event.id },
        titled(`${event.id}: bytes ${start} to ${end - 1}, ${plural(end - start, 'byte')}\n${event.title}`));
      box.addEventListener('click', () => choose(number));
      svg.append(box);
      if (width > event.id.length * 7 + 8) {
        const inner = drawing('text', { class: 'in', x: x + width / 2, y: y + 15, 'text-anchor': 'middle' });
        inner.append(event.id);
        svg.append(inner);
      }
    }
  });
  const y = height - 6;
  for (const [byte, anchor] of [[0, 'start'], [ruler.length, 'end']]) {
    const label = drawing('text', { x: across(byte), y, 'text-anchor': anchor });
    label.append(byte ? plural(byte, 'byte') : '0');
    svg.append(label);
  }
  const heading = element('h3', {}, ruler.title, element('small', {}, `${ruler.flow} ${ruler.counts}`));
  return element('div', { class: 'ruler' }, heading, svg);
}

/** A frame with axes: time across, bytes up. */
class Plot {
  constructor(times, values, label) {
    this.height = 300;
    this.left = 80;
    this.times = [Math.min(...bounds(times)), Math.max(...bounds(times))];
    this.values = [Math.min(0, ...bounds(values)), Math.max(1, ...bounds(values))];
    this.svg = drawing('svg', { viewBox: `0 0 ${WIDE} ${this.height}`, role: 'img', 'aria-label': label });
    this.svg.append(drawing('rect', { class: 'frame', x: this.left, y: 8, width: WIDE - this.left - 10, height: this.height - 38 }));
    for (let step = 0; step <= 4; step++) {
      const value = this.values[0] + (this.values[1] - this.values[0]) * step / 4;
      const time = this.times[0] + (this.times[1] - this.times[0]) * step / 4;
      this._text(this.left - 8, this.y(value) + 4, compact(value), 'end');
      this._text(this.x(time), this.height - 12, `${milliseconds(time)} ms`, step === 0 ? 'start' : step === 4 ? 'end' : 'middle');
      this.svg.append(drawing('path', { class: 'tick', d: `M${this.left} ${this.y(value)}H${WIDE - 10}` }));
    }
  }

  _text(x, y, text, anchor) {
    const label = drawing('text', { x, y, 'text-anchor': anchor });
    label.append(text);
    this.svg.append(label);
  }

  x(time) { return this.left + (time - this.times[0]) / Math.max(this.times[1] - this.times[0], 1) * (WIDE - this.left - 10); }

  y(value) { return this.height - 30 - (value - this.values[0]) / Math.max(this.values[1] - this.values[0], 1) * (this.height - 38); }

  path(classes, d) { if (d) this.svg.append(drawing('path', { class: classes, d })); }

  steps(classes, points) {
    let d = '';
    points.forEach(([time, value], place) => {
      d += place ? `H${this.x(time).toFixed(1)}V${this.y(value).toFixed(1)}` : `M${this.x(time).toFixed(1)} ${this.y(value).toFixed(1)}`;
    });
    this.path(classes, d && `${d}H${WIDE - 10}`);
  }

  bars(classes, bars) {
    this.path(classes, bars.map(([time, low, high]) => {
      const x = this.x(time).toFixed(1);
      return `M${x} ${this.y(low).toFixed(1)}V${Math.min(this.y(high), this.y(low) - 1.5).toFixed(1)}`;
    }).join(''));
  }

  /** A click chooses the event that is nearest in time and height. */
  choosing(points, choose) {
    const hit = drawing('rect', { class: 'hit', x: this.left, y: 8, width: WIDE - this.left - 10, height: this.height - 38 });
    hit.addEventListener('click', (click) => {
      const box = this.svg.getBoundingClientRect(), scale = WIDE / box.width;
      const x = (click.clientX - box.left) * scale, y = (click.clientY - box.top) * scale;
      let best = null, least = Infinity;
      for (const [time, value, number] of points) {
        const apart = (this.x(time) - x) ** 2 + (this.y(value) - y) ** 2;
        if (apart < least) [best, least] = [number, apart];
      }
      if (best !== null && best >= 0) choose(best);
    });
    this.svg.append(hit);
  }
}

/** The least and the greatest; Math.min takes no hundred thousand arguments. */
function bounds(values) {
  let low = Infinity, high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return values.length ? [low, high] : [0];
}

function compact(value) {
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)} MB`;
  return value >= 1e4 ? `${(value / 1e3).toFixed(1)} kB` : `${Math.round(value)}`;
}

/** tcptrace's picture: a bar for each segment, the ACKs below them, the window's edge above. */
function sequenceGraph(graph, choose) {
  const { segments, answers } = graph;
  const times = [...segments, ...answers].map(([time]) => time);
  const values = [...segments.map(([, , , end]) => end), ...answers.map(([, , ack]) => ack)];
  const top = bounds(values).at(-1);
  const edges = answers.map(([time, , , edge]) => [time, Math.min(edge, top * 1.15)]);
  const plot = new Plot(times, [...values, ...edges.map(([, edge]) => edge)], `Time and sequence numbers, ${graph.title}`);
  plot.steps('window', edges);
  plot.steps('acked', answers.map(([time, , ack]) => [time, ack]));
  plot.bars('sack', answers.flatMap(([time, , , , blocks]) => blocks.map(([low, high]) => [time, low, high])));
  plot.bars('sent', segments.filter((each) => !each[4]).map(([time, , low, high]) => [time, low, high]));
  plot.bars('again', segments.filter((each) => each[4]).map(([time, , low, high]) => [time, low, high]));
  plot.choosing([...segments.map(([time, number, , end]) => [time, end, number]), ...answers.map(([time, number, ack]) => [time, ack, number])], choose);
  return framed('Sequence numbers', graph, plot, [['sent', 'segment'], ['again', 'retransmission'], ['acked', 'ACK'], ['window', 'window’s edge'], ['sack', 'SACK']]);
}

/** What is sent and not acknowledged yet, and how much the receiver would take. */
function flightGraph(graph, choose) {
  const moments = [
    ...graph.segments.map(([time, number, , end]) => [time, 0, end, number]),
    ...graph.answers.map(([time, number, ack, edge]) => [time, 1, ack, number, edge - ack]),
  ].sort((a, b) => a[0] - b[0]);
  let next = 1, acked = 1;
  const flight = [], windows = [];
  for (const [time, isAnswer, place, number, window] of moments) {
    if (isAnswer) {
      acked = Math.max(acked, place);
      windows.push([time, window]);
    } else next = Math.max(next, place);
    flight.push([time, Math.max(next - acked, 0), number]);
  }
  const values = flight.map(([, value]) => value), top = bounds(values).at(-1);
  const shown = windows.map(([time, value]) => [time, Math.min(value, Math.max(top * 2, 1000))]);
  const plot = new Plot(moments.map(([time]) => time), [...values, ...shown.map(([, value]) => value)], `Bytes in flight and window, ${graph.title}`);
  plot.steps('window', shown);
  plot.steps('sent', flight);
  plot.choosing(flight, choose);
  const isCut = windows.some(([, value], place) => value > shown[place][1]);
  return framed('Bytes in flight', graph, plot, [['sent', 'in flight'], ['window', isCut ? 'window (higher than shown)' : 'window']]);
}

function framed(title, graph, plot, keys) {
  const legend = keys.map(([classes, text]) => element('li', {}, keyLine(classes), text));
  return element('div', { class: 'graph' }, element('h3', {}, title, element('small', {}, `${graph.flow}: ${graph.title}`)), plot.svg,
    element('ul', { class: 'legend' }, ...legend));
}

function keyLine(classes) {
  const svg = drawing('svg', { width: 22, height: 10, 'aria-hidden': 'true' }, drawing('path', { class: classes, d: 'M0 5H20' }));
  Object.assign(svg.style, { display: 'inline-block', width: '22px', height: '10px', marginRight: '5px' });
  return svg;
}
