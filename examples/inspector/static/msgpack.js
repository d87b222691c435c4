// The part of MessagePack that the console needs: the types of JSON, and bytes.

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Encode null, booleans, numbers, strings, Uint8Array, arrays and plain objects. */
export function encode(value) {
  const bytes = [];
  write(bytes, value);
  return new Uint8Array(bytes);
}

function write(bytes, value) {
  if (value === null || value === undefined) bytes.push(0xc0);
  else if (typeof value === "boolean") bytes.push(value ? 0xc3 : 0xc2);
  else if (typeof value === "number") writeNumber(bytes, value);
  else if (typeof value === "string") {
    const text = encoder.encode(value);
    writeSize(bytes, text.length, [0xa0, 31], [0xd9, 0xda, 0xdb]);
    append(bytes, text);
  } else if (value instanceof Uint8Array) {
    writeSize(bytes, value.length, null, [0xc4, 0xc5, 0xc6]);
    append(bytes, value);
  } else if (Array.isArray(value)) {
    writeSize(bytes, value.length, [0x90, 15], [null, 0xdc, 0xdd]);
    for (const item of value) write(bytes, item);
  } else {
    const entries = Object.entries(value);
    writeSize(bytes, entries.length, [0x80, 15], [null, 0xde, 0xdf]);
    for (const [key, item] of entries) {
      write(bytes, key);
      write(bytes, item);
    }
  }
}

function writeNumber(bytes, value) {
  if (Number.isInteger(value) && value >= -32 && value < 128) bytes.push(value & 0xff);
  else if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
    const view = new DataView(new ArrayBuffer(8));
    view.setBigInt64(0, BigInt(value));
    bytes.push(0xd3);
    append(bytes, new Uint8Array(view.buffer));
  } else {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, value);
    bytes.push(0xcb);
    append(bytes, new Uint8Array(view.buffer));
  }
}

// The short form stores the size in the tag; the others use one, two or four bytes.
function writeSize(bytes, size, small, [tag8, tag16, tag32]) {
  if (small && size <= small[1]) bytes.push(small[0] | size);
  else if (tag8 !== null && size < 0x100) bytes.push(tag8, size);
  else if (size < 0x10000) bytes.push(tag16, size >> 8, size & 0xff);
  else bytes.push(tag32, size >>> 24, (size >> 16) & 0xff, (size >> 8) & 0xff, size & 0xff);
}

// `push(...data)` would put every byte of a large value on the stack.
function append(bytes, data) {
  for (const byte of data) bytes.push(byte);
}

/** Decode one value from an ArrayBuffer; trailing bytes are an error. */
export function decode(buffer) {
  const reader = { view: new DataView(buffer), at: 0 };
  const value = read(reader);
  if (reader.at !== buffer.byteLength) throw new RangeError(`${buffer.byteLength - reader.at} unexpected bytes after the value`);
  return value;
}

function read(reader) {
  const tag = take(reader, "getUint8", 1);
  if (tag < 0x80) return tag;
  if (tag < 0x90) return readMap(reader, tag & 15);
  if (tag < 0xa0) return readArray(reader, tag & 15);
  if (tag < 0xc0) return readText(reader, tag & 31);
  if (tag >= 0xe0) return tag - 0x100;
  switch (tag) {
    case 0xc0: return null;
    case 0xc2: return false;
    case 0xc3: return true;
    case 0xc4: case 0xc5: case 0xc6: return readBytes(reader, readSize(reader, tag - 0xc4));
    case 0xc7: case 0xc8: case 0xc9: return readExtension(reader, readSize(reader, tag - 0xc7));
    case 0xca: return take(reader, "getFloat32", 4);
    case 0xcb: return take(reader, "getFloat64", 8);
    case 0xcc: case 0xcd: case 0xce: return readSize(reader, tag - 0xcc);
    case 0xcf: return Number(take(reader, "getBigUint64", 8));
    case 0xd0: return take(reader, "getInt8", 1);
    case 0xd1: return take(reader, "getInt16", 2);
    case 0xd2: return take(reader, "getInt32", 4);
    case 0xd3: return Number(take(reader, "getBigInt64", 8));
    case 0xd4: case 0xd5: case 0xd6: case 0xd7: case 0xd8: return readExtension(reader, 1 << (tag - 0xd4));
    case 0xd9: case 0xda: case 0xdb: return readText(reader, readSize(reader, tag - 0xd9));
    case 0xdc: case 0xdd: return readArray(reader, readSize(reader, tag - 0xdb));
    case 0xde: case 0xdf: return readMap(reader, readSize(reader, tag - 0xdd));
    default: throw new RangeError(`0x${tag.toString(16)} is not the start of a value`);
  }
}

function take(reader, method, size) {
  const value = reader.view[method](reader.at);
  reader.at += size;
  return value;
}

function readSize(reader, power) {
  return take(reader, ["getUint8", "getUint16", "getUint32"][power], 1 << power);
}

function readBytes(reader, size) {
  const bytes = new Uint8Array(reader.view.buffer, reader.at, size);
  reader.at += size;
  return bytes;
}

function readText(reader, size) {
  return decoder.decode(readBytes(reader, size));
}

function readArray(reader, size) {
  return Array.from({ length: size }, () => read(reader));
}

function readMap(reader, size) {
  return Object.fromEntries(Array.from({ length: size }, () => [read(reader), read(reader)]));
}

function readExtension(reader, size) {
  return { extension: take(reader, "getInt8", 1), data: readBytes(reader, size) };
}
