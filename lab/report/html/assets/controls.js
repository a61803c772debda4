// What is shown: filters, search, the axis, and predicting before revealing.

class View {
  constructor(changed) {
    this.changed = changed;
    this.form = document.getElementById('tools');
    this.chosen = null;
    this.related = new Set();
    this.zoom = 1;
    this.revealed = null;
    this.form.addEventListener('input', () => this.read());
    this.form.addEventListener('submit', (event) => event.preventDefault());
    for (const [id, factor] of [['closer', 2], ['wider', 0.5]]) {
      document.getElementById(id).addEventListener('click', () => {
        this.zoom *= factor;
        this.changed();
      });
    }
    this.read(false);
  }

  read(tells = true) {
    const { elements } = this.form;
    for (const name of ['call', 'state', 'frame', 'beside', 'folds']) this[name] = elements[name].checked;
    this.flow = elements.flow.value;
    this.search = elements.search.value.trim().toLowerCase();
    this.axis = elements.axis.value;
    for (const id of ['closer', 'wider']) document.getElementById(id).hidden = this.axis !== 'scale';
    if (tells) this.changed();
  }

  /** The flows that there are to choose from. */
  offer(flows) {
    const select = this.form.elements.flow;
    select.replaceChildren(element('option', { value: '' }, 'all'), ...flows.map((flow) => element('option', { value: flow }, flow)));
    this.flow = '';
  }

  /** Whether an event is shown; `number` is its own. */
  shows(event, number) {
    if (this.revealed !== null && !this.revealed.has(number)) return false;
    if (this.search && !event.text.includes(this.search)) return false;
    switch (event.kind) {
      case 'frame':
        if (!this.beside && event.phase === 'Beside the conversation') return false;
        return this.frame && (!this.flow || event.flow === this.flow);
      case 'system call': return this.call && (!this.flow || this._isOf(event));
      case 'state': return this.state && (!this.flow || this._isOf(event));
      default: return true;
    }
  }

  /** Whether what has no flow itself brought about, or follows from, a frame of the chosen one. */
  _isOf(event) { return event.flows.has(this.flow); }
}

/** What an event can be found by, and the flows that it has to do with. */
function prepare(part) {
  const flowsOf = part.events.map((event) => new Set(event.flow ? [event.flow] : []));
  part.events.forEach((event, number) => {
    for (const [cause] of event.causes || []) {
      for (const flow of flowsOf[cause]) if (part.events[number].kind !== 'frame') flowsOf[number].add(flow);
      if (event.flow && part.events[cause].kind !== 'frame') flowsOf[cause].add(event.flow);
    }
  });
  const ofSocket = new Map();
  part.events.forEach((event, number) => {
    if (!event.socket) return;
    const key = event.socket;
    ofSocket.set(key, new Set([...(ofSocket.get(key) || []), ...flowsOf[number]]));
  });
  part.events.forEach((event, number) => {
    event.flows = event.socket ? ofSocket.get(event.socket) : flowsOf[number];
    event.text = [event.id, event.title, event.flow, event.program, event.host, ...(event.notes || []), ...(event.states || [])]
      .filter(Boolean).join(' ').toLowerCase();
  });
}

/** "Predict, then reveal": events come one by one, after the reader has said what to expect. */
class Prediction {
  constructor(view, question, shown) {
    this.view = view;
    this.shown = shown;
    this.box = document.getElementById('prediction');
    this.button = document.getElementById('predict');
    this.box.querySelector('.ask').textContent = question;
    this.button.addEventListener('click', () => this.shown.isReady() && (this.isOn ? this.finish() : this.begin()));
    document.getElementById('reveal').addEventListener('click', () => this.reveal());
    document.getElementById('finish').addEventListener('click', () => this.finish());
  }

  get isOn() { return this.view.revealed !== null; }

  begin(order) {
    this.order = order || this.shown.order();
    this.view.revealed = new Set();
    this._show(true);
  }

  /** The next event comes into sight; after the last one, everything. */
  reveal() {
    const next = this.order[this.view.revealed.size];
    if (next === undefined) {
      this.finish();
      return;
    }
    this.view.revealed.add(next);
    this.view.changed();
    this.shown.choose(next);
    const left = this.order.length - this.view.revealed.size;
    document.getElementById('reveal').textContent = left ? `Reveal the next event (${left} left)` : 'Show the verdict';
  }

  finish() {
    this.view.revealed = null;
    this._show(false);
  }

  _show(isOn) {
    document.body.classList.toggle('predicting', isOn);
    this.button.setAttribute('aria-pressed', String(isOn));
    this.box.hidden = !isOn;
    document.getElementById('reveal').textContent = 'Reveal the first event';
    this.shown.choose(null);
    this.view.changed();
  }
}
