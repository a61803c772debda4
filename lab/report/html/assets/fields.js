// Bytes and fields: a field's value is read from the frame's bytes by its shape.

/** A shape as it is packed: [header, name, abbreviation, first bit, bits, form, source, factor]. */
function shapeOf(packed) {
  const [header, name, abbreviation, firstBit, bits, form, source, factor] = packed;
  return {
    header, name, abbreviation, form, source, factor, bits, firstBit,
    first: firstBit >> 3, end: (firstBit + bits + 7) >> 3,
  };
}

function bytesFromBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

function bytesFromHex(text) {
  return Uint8Array.from(text.match(/../g) || [], (pair) => parseInt(pair, 16));
}

function hex(bytes, between = '') {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(between);
}

/** The fields of a frame, each with its value as Wireshark writes it. */
function fieldsOf(event, part) {
  const bytes = bytesFromBase64(event.bytes);
  const [shapes, meanings] = part.dissections[event.fields];
  return shapes.map((number, place) => {
    const shape = shapeOf(part.shapes[number]);
    const raw = bytes.subarray(shape.first, shape.end);
    const value = valueOf(shape, raw);
    const filter = shape.abbreviation && shape.form !== 'b' ? `${shape.abbreviation} == ${value}` : '';
    return { ...shape, raw, value, filter, meaning: part.meanings[meanings[place]] };
  });
}

function valueOf(shape, raw) {
  switch (shape.form) {
    case 'd': return String(numberOf(shape, raw) * shape.factor);
    case 'x': return '0x' + numberOf(shape, raw).toString(16).padStart(Math.ceil(shape.bits / 4), '0');
    case '4': return Array.from(raw).join('.');
    case '6': return ipv6(raw);
    case 'm': return hex(raw, ':');
    default: return shape.bits === 8 ? '1 byte' : `${shape.bits / 8} bytes`;
  }
}

/** The field's bits as a number: without shifts, which know 32 bits and a sign. */
function numberOf(shape, raw) {
  const whole = raw.reduce((sum, byte) => sum * 256 + byte, 0);
  const beyond = shape.end * 8 - shape.firstBit - shape.bits;
  return Math.floor(whole / 2 ** beyond) % 2 ** shape.bits;
}

/** What finds the frame in Wireshark: of its innermost header, the fields that tell packets apart. */
function frameFilter(fields, telling) {
  const headers = new Set(fields.map((field) => field.header));
  const found = telling.find(([header]) => headers.has(header));
  if (!found) return '';
  return found[1].map((name) => fields.find((field) => field.abbreviation === name)).filter(Boolean)
    .map((field) => field.filter).join(' && ');
}

/** Source: RFC 5952, 4. */
function ipv6(raw) {
  const groups = [];
  for (let at = 0; at < 16; at += 2) groups.push((raw[at] << 8 | raw[at + 1]).toString(16));
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (groups[start + length] === '0') length++;
    if (length > best.length) best = { start, length };
  }
  if (best.start < 0) return groups.join(':');
  return `${groups.slice(0, best.start).join(':')}::${groups.slice(best.start + best.length).join(':')}`;
}

function milliseconds(ns, digits = 3) {
  return ns === null || ns === undefined ? '' : (ns / 1e6).toFixed(digits);
}

function plural(count, word) {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}

/** An HTML element; texts are set as text, never as markup. */
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === 'on') for (const [event, listener] of Object.entries(value)) made.addEventListener(event, listener);
    else if (name === 'style') Object.assign(made.style, value);
    else if (value === true) made.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function drawing(tag, attributes = {}, ...children) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function titled(text) {
  const title = drawing('title');
  title.textContent = text;
  return title;
}
