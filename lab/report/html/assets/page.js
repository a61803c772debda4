// The page as a whole: one part at a time, the chosen event, the address, the keyboard.

const ROWS_AT_ONCE = 500, HIGHEST_PRINTED = 100000;

class Page {
  constructor() {
    this.index = JSON.parse(document.getElementById('index').textContent);
    this.view = new View(() => this.refresh());
    this.prediction = new Prediction(this.view, document.querySelector('h1').textContent, {
      isReady: () => Boolean(this.ladder), order: () => this.ladder.order, choose: (number) => this.choose(number),
    });
    this.parts = [...document.querySelectorAll('.parts button')];
    this.parts.forEach((button, number) => button.addEventListener('click', () => this.open(number)));
    this._listen();
    this.follow();
  }

  _listen() {
    let waits = false;
    const soon = () => {
      if (waits) return;
      waits = true;
      requestAnimationFrame(() => {
        waits = false;
        if (this.ladder) this.ladder.draw();
      });
    };
    addEventListener('scroll', soon, { passive: true });
    addEventListener('resize', () => this._resized());
    addEventListener('hashchange', () => this.follow());
    addEventListener('beforeprint', () => this._print(true));
    addEventListener('afterprint', () => this._print(false));
    document.addEventListener('keydown', (event) => this._key(event));
    const theme = document.getElementById('theme');
    theme.addEventListener('click', () => {
      const isDark = matchMedia('(prefers-color-scheme: dark)').matches;
      const { dataset } = document.documentElement;
      const now = dataset.theme || (isDark ? 'dark' : 'light');
      dataset.theme = now === 'dark' ? 'light' : 'dark';
      theme.setAttribute('aria-pressed', 'true');
    });
    document.querySelector('#table details').addEventListener('toggle', () => this._fillTable());
  }

  /**
   * Another width puts every event elsewhere: the chosen one stays in sight. A frame within a page
   * may have no size at all while it loads; a height alone changes whenever a phone hides its bars.
   */
  _resized() {
    const before = this.window;
    this.refresh();
    const isElsewhere = before && (before.width !== innerWidth || before.height === 0);
    if (isElsewhere && this.ladder && this.view.chosen !== null) {
      this._scrollTo(this.view.chosen);
      this.ladder.draw();
    }
  }

  /** Paper has no window to look through: the ladder is drawn whole, as wide as a page. */
  _print(isOn) {
    this.isPrinting = isOn;
    document.body.classList.toggle('printing', isOn);
    this.refresh();
  }

  _key(event) {
    const { target } = event;
    const isTyping = target.matches('input[type="search"], textarea, select');
    if (event.ctrlKey || event.altKey || event.metaKey || !this.ladder) return;
    if (event.key === 'Escape') {
      if (isTyping) target.blur();
      else this.choose(null);
      return;
    }
    if (isTyping) return;
    const isInLadder = document.getElementById('ladder').contains(target);
    const steps = { j: 1, k: -1, ...(isInLadder ? { ArrowDown: 1, ArrowUp: -1 } : {}) };
    if (event.key in steps) {
      event.preventDefault();
      if (this.prediction.isOn && steps[event.key] > 0 && this._isAtEnd()) this.prediction.reveal();
      else this.step(steps[event.key]);
    } else if (event.key === '/') {
      event.preventDefault();
      this.view.form.elements.search.focus();
    } else if (isInLadder && (event.key === 'Home' || event.key === 'End')) {
      event.preventDefault();
      this.choose(this.ladder.order.at(event.key === 'Home' ? 0 : -1) ?? null);
    }
  }

  _isAtEnd() { return this.view.chosen === null || this.view.chosen === this.ladder.order.at(-1); }

  /** Show what the address names: a part, and an event in it. */
  follow() {
    const [part, event] = location.hash.slice(1).split('/').map(decode);
    const named = this.index.parts.indexOf(part);
    if (named < 0 && !this.part && !this.index.opens) return;
    const number = Math.max(0, named);
    if (number !== this.number) this.open(number);
    const found = event === undefined ? -1 : this.part.events.findIndex((each) => each.id === event);
    if (found >= 0 && found !== this.view.chosen) this.choose(found);
  }

  open(number) {
    if (this.number === number) return;
    this.number = number;
    this.part = JSON.parse(document.getElementById(`part-${number}`).textContent);
    this.part.name = this.index.parts[number];
    prepare(this.part);
    this.parts.forEach((button, place) => button.setAttribute('aria-current', String(place === number)));
    this.view.offer([...new Set(this.part.events.map((event) => event.flow).filter(Boolean))]);
    this.view.chosen = null;
    this.view.related = new Set();
    document.body.classList.remove('has-detail');
    if (this.prediction.isOn) this.prediction.finish();
    this.ladder = new Ladder(this.part, this.view, (event) => this.choose(event));
    this.detail = new Detail(this.part, this.index.telling,
      (event) => this.view.revealed === null || this.view.revealed.has(event), (event) => this.choose(event), (way) => this.step(way));
    this.detail.clear();
    this._fill('rulers', this.part.rulers.map((ruler) => rulerOf(ruler, this.part, (event) => this.choose(event))));
    this._fill('graphs', this.part.graphs.flatMap((graph) => [
      sequenceGraph(graph, (event) => this.choose(event)), flightGraph(graph, (event) => this.choose(event))]));
    document.getElementById('count').textContent = plural(this.part.events.length, 'event');
    this._fillTable();
    this._fillLegend();
    this.refresh();
  }

  _fill(id, children) {
    const section = document.getElementById(id);
    section.hidden = !children.length;
    section.querySelector('.body').replaceChildren(...children);
  }

  refresh() {
    if (!this.ladder) return;
    this.window = { width: innerWidth, height: innerHeight };
    this.ladder.layOut();
    this.ladder.draw({ whole: this.isPrinting && this.ladder.height < HIGHEST_PRINTED });
    const { search } = this.view;
    document.getElementById('found').textContent = search ? plural(this.ladder.order.length, 'event') : '';
  }

  step(way) {
    const { order } = this.ladder;
    if (!order.length) return;
    const at = order.indexOf(this.view.chosen);
    const next = at < 0 ? (way > 0 ? 0 : order.length - 1) : at + way;
    if (order[next] !== undefined) this.choose(order[next]);
  }

  /** Choose an event by its number; null chooses none. */
  choose(number) {
    const wasWide = this.view.chosen === null;
    this.view.chosen = number;
    document.body.classList.toggle('has-detail', number !== null);
    if (number === null) {
      this.view.related = new Set();
      this.detail.clear();
      history.replaceState(null, '', location.pathname + location.search);
      this.refresh();
      return;
    }
    // The pane takes room from the ladder.
    if (wasWide) this.ladder.layOut();
    this.view.related = this.detail.related(number);
    this._makeVisible(number);
    this.detail.show(number);
    history.replaceState(null, '', addressOf(this.part.name, this.part.events[number].id));
    this._scrollTo(number);
    this.ladder.drawn = null;
    this.ladder.draw();
    document.getElementById('ladder').focus({ preventScroll: true });
    for (const box of document.querySelectorAll('.ruler rect')) {
      box.classList.toggle('chosen', box.dataset.event === this.part.events[number].id);
    }
  }

  /** A link may lead to what a filter or a fold hides. */
  _makeVisible(number) {
    if (this.ladder.topOf(number) === null) return;
    if (this.ladder.order.includes(number) || this.view.revealed !== null) return;
    const { elements } = this.view.form;
    for (const name of ['call', 'state', 'frame', 'beside', 'folds']) elements[name].checked = true;
    elements.flow.value = '';
    elements.search.value = '';
    this.view.read();
  }

  /** To the event; to the one before it where it is not drawn, such as a copy that a switch flooded. */
  _scrollTo(number) {
    let drawn = this.part.events[number].same ?? number;
    while (drawn > 0 && this.ladder.topOf(drawn) === null) drawn -= 1;
    const top = this.ladder.topOf(drawn);
    if (top === null) return;
    const box = this.ladder.canvas.getBoundingClientRect();
    const isNarrow = matchMedia('(max-width: 1060px)').matches;
    const room = innerHeight * (isNarrow ? 0.5 : 1), at = box.top + top;
    if (at < 70 || at > room - 60) scrollBy({ top: at - room * 0.4 });
  }

  _fillLegend() {
    const groups = new Map(this.part.scene.ribbons.map((ribbon) => [ribbon.group, 0]));
    const names = { closed: 'CLOSED', listen: 'LISTEN', opening: 'opening', established: 'ESTABLISHED', closing: 'closing', waiting: 'TIME-WAIT' };
    const isMeasured = this.part.scene.ribbons.some((ribbon) => ribbon.measured);
    const key = (classes, text) => element('li', {}, element('span', { class: classes, 'aria-hidden': 'true' }), text);
    document.getElementById('legend').replaceChildren(
      ...(this.part.scene.calls.length ? [key('blocked', 'a call, from its entry to its return')] : []),
      ...Object.keys(names).filter((group) => groups.has(group)).map((group) => key(group, names[group])),
      ...(groups.size ? [element('li', {}, isMeasured ? 'states: by the kernel' : 'states: inferred from the frames (RFC 9293)')] : []),
      ...this.part.background.map((text) => element('li', {}, `${text}: left out of the ladder`)),
      ...this.part.remarks.map((text) => element('li', {}, text)));
  }

  /** The plain table; what is many comes in portions. */
  _fillTable() {
    const details = document.querySelector('#table details');
    const body = details.querySelector('.body');
    body.replaceChildren();
    if (!details.open || !this.part) return;
    const rows = element('tbody');
    const heads = ['event', 'at, ms', 'where', 'what'].map((name) => element('th', { scope: 'col' }, name));
    const more = element('button', { type: 'button' }, 'More');
    let at = 0;
    const add = () => {
      const { events } = this.part;
      for (const event of events.slice(at, at + ROWS_AT_ONCE)) {
        const time = event.at.find((each) => each !== null);
        const where = event.kind === 'frame' ? [event.from, event.to].filter(Boolean).join(' → ') : event.program || event.host || '';
        rows.append(element('tr', {},
          element('th', { scope: 'row' }, element('a', { href: addressOf(this.part.name, event.id) }, event.id)),
          element('td', {}, time === undefined ? '' : milliseconds(time)), element('td', {}, where), element('td', {}, event.title)));
      }
      at += ROWS_AT_ONCE;
      more.hidden = at >= events.length;
    };
    more.addEventListener('click', add);
    add();
    body.append(element('table', {}, element('caption', { class: 'quiet' }, `Events of ${this.part.name}`), element('thead', {}, element('tr', {}, ...heads)), rows), more);
  }
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const page = new Page();
