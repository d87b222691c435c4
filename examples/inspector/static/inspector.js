// A form that shows the progress of its upload, expressions to copy, and a WebSocket console.
// Without this script the form still works, because its response is a page too.

import { decode, encode } from "./msgpack.js";

const find = (id) => document.getElementById(id);
const chosen = (form, name) => form.elements[name].value;

const LABELS = {
  json: "JSON",
  msgpack: "JSON, sent as MessagePack",
  text: "Text",
  binary: "Bytes in hexadecimal",
};
const SAMPLES = {
  json: '{"order": 17, "items": ["tea", "cake"]}',
  msgpack: '{"order": 17, "items": ["tea", "cake"]}',
  text: "Grüße, hello, 你好",
  binary: "00 ff c3 28",
};
const MEDIA_TYPES = { json: "application/json", msgpack: "application/vnd.msgpack", text: "text/plain; charset=utf-8" };

// Replaces an empty text or another sample, but not what the user typed.
function offerSample(area, mode) {
  if (!area.value || Object.values(SAMPLES).includes(area.value)) area.value = SAMPLES[mode];
}

// --- Sending a request -----------------------------------------------------------------------------

const send = find("send");
const options = find("options");
const progress = find("progress");

function showBody() {
  const mode = chosen(options, "body");
  for (const part of send.querySelectorAll("[data-body]")) {
    part.hidden = !part.dataset.body.split(" ").includes(mode);
  }
  find("raw-label").textContent = LABELS[mode] ?? "";
  if (mode in SAMPLES) offerSample(find("raw"), mode);
  find("problem").textContent = "";
}

function requestBody() {
  const mode = chosen(options, "body");
  if (mode === "none") return null;
  if (mode === "multipart") return new FormData(send);
  if (mode === "urlencoded") {
    const fields = new FormData(send);
    fields.delete("files");
    return new URLSearchParams(fields);
  }
  const raw = find("raw").value;
  const body = mode === "msgpack" ? encode(JSON.parse(raw)) : raw;
  return new Blob([body], { type: MEDIA_TYPES[mode] });
}

// A GET request has no body in a browser.
function matchMethod({ target }) {
  const method = find("method");
  if (target === method && method.value === "GET") options.elements.body.value = "none";
  else if (target !== method && method.value === "GET" && target.value !== "none") method.value = "POST";
  showBody();
}

function typedHeaders() {
  const lines = find("headers").value.split("\n").filter((line) => line.trim());
  return new Headers(lines.map((line) => {
    if (!line.includes(":")) throw new TypeError(`write "Name: value" instead of "${line}"`);
    return line.split(/:(.*)/s, 2);
  }));
}

function upload(event) {
  event.preventDefault();
  find("problem").textContent = "";
  if (!options.reportValidity()) return;
  let body, headers;
  try {
    body = requestBody();
    headers = typedHeaders();
  } catch (error) {
    find("problem").textContent = `This is not ${error instanceof SyntaxError ? "JSON" : "a header"}: ${error.message}`;
    return;
  }
  if (!headers.has("Accept")) headers.set("Accept", "text/html");
  // XMLHttpRequest, because fetch does not report the progress of an upload.
  const request = new XMLHttpRequest();
  request.open(find("method").value, find("target").value);
  for (const [name, value] of headers) request.setRequestHeader(name, value);
  request.upload.onprogress = (sent) => showProgress(sent.loaded, sent.total);
  request.onload = () => showResponse(request);
  request.onerror = () => endUpload("The connection failed: the inspector has stopped, or the body is larger than its limit.");
  request.onabort = () => endUpload("Cancelled: the application received a client disconnect.");
  find("cancel").onclick = () => request.abort();
  find("cancel").hidden = false;
  progress.hidden = false;
  showProgress(0, 1);
  request.send(body);
}

function showProgress(loaded, total) {
  const percent = Math.floor((100 * loaded) / total);
  progress.querySelector("progress").value = loaded / total;
  progress.querySelector("output").textContent = `${percent} % of ${megabytes(total)}`;
}

function megabytes(bytes) {
  return bytes < 100_000 ? `${bytes.toLocaleString("en")} bytes` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

function showResponse(request) {
  const report = find("report-body");
  if (request.getResponseHeader("Content-Type")?.startsWith("text/html")) {
    const page = new DOMParser().parseFromString(request.responseText, "text/html");
    report.replaceWith(document.adoptNode(page.getElementById("report-body")));
  } else {
    const text = document.createElement("pre");
    text.textContent = request.responseText;
    report.replaceChildren(text);
  }
  endUpload(request.status === 200 ? "" : `Answered with ${request.status} ${request.statusText}`);
  find("report-title").focus({ preventScroll: true });
  // On a narrow screen the report is below the form.
  if (find("report-title").getBoundingClientRect().bottom > innerHeight / 2) find("report").scrollIntoView();
}

function endUpload(problem) {
  find("problem").textContent = problem;
  find("cancel").hidden = true;
  progress.hidden = true;
}

send.addEventListener("submit", upload);
options.addEventListener("submit", (event) => event.preventDefault());
for (const control of [find("method"), ...options.elements.body]) control.addEventListener("change", matchMethod);
showBody();

// --- Copying an expression -------------------------------------------------------------------------

async function copy(button) {
  const text = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Browsers restrict the clipboard to HTTPS and to this machine; a selection is copied everywhere.
    getSelection().selectAllChildren(button);
    document.execCommand("copy");
    getSelection().removeAllRanges();
  }
  find("copied").textContent = `Copied ${text}`;
  button.dataset.copied = "";
  setTimeout(() => delete button.dataset.copied, 1200);
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest?.("button.copy");
  if (button) copy(button);
});

// --- The WebSocket console -------------------------------------------------------------------------

const connect = find("connect");
const log = find("log");
const fromHex = (text) => {
  const digits = text.replaceAll(/\s/g, "");
  if (digits.length % 2 || /[^0-9a-f]/i.test(digits)) throw new SyntaxError("write two digits from 0 to f for each byte");
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
};
const toHex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");

// How each mode encodes the typed text and decodes a received message.
const MODES = {
  json: { write: (text) => JSON.stringify(JSON.parse(text)), read: (data) => pretty(JSON.parse(data)) },
  msgpack: { write: (text) => encode(JSON.parse(text)), read: (data) => pretty(decode(data)) },
  text: { write: (text) => text, read: (data) => data },
  binary: { write: fromHex, read: (data) => toHex(new Uint8Array(data)) },
};

let socket = null;

function pretty(value) {
  return JSON.stringify(value, (_, item) => (item instanceof Uint8Array ? toHex(item) : item), 2);
}

function open(event) {
  event.preventDefault();
  if (socket) return socket.close(1000);
  const mode = chosen(connect, "mode");
  const url = new URL(find("target").value, location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  socket = new WebSocket(url, [`inspector.${mode}`]);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => setConnected(true, `Connected with ${socket.protocol}`);
  socket.onmessage = ({ data }) => show("in", typeof data === "string" && mode === "msgpack" ? data : MODES[mode].read(data));
  socket.onclose = ({ code, reason, wasClean }) => {
    const status = `Closed with ${code}${reason ? `: ${reason}` : ""}${wasClean ? "" : " (connection lost)"}`;
    show("note", status);
    socket = null;
    setConnected(false, status);
  };
  find("status").textContent = "Connecting …";
  show("note", `Connecting to ${url}`);
}

function setConnected(connected, status) {
  find("status").textContent = status;
  find("status").dataset.state = connected ? "open" : "closed";
  connect.querySelector("button").textContent = connected ? "Disconnect" : "Connect";
  for (const radio of connect.elements.mode) radio.disabled = connected;
  for (const form of [find("message"), find("close")]) {
    for (const button of form.querySelectorAll("button")) button.disabled = !connected;
  }
  find("ask-close").disabled = !connected || !["json", "msgpack"].includes(chosen(connect, "mode"));
}

function show(kind, text) {
  const line = document.createElement("li");
  line.dataset.kind = kind;
  line.textContent = text;
  log.append(line);
  log.scrollTop = log.scrollHeight;
}

// Runs an action on the typed text, and shows an error beside the field.
function attempt(action) {
  find("message-problem").textContent = "";
  try {
    action();
  } catch (error) {
    find("message-problem").textContent = error.message;
  }
}

function sendMessage(event) {
  event.preventDefault();
  attempt(() => {
    socket.send(MODES[chosen(connect, "mode")].write(find("text").value));
    show("out", find("text").value);
  });
}

function closeFromHere(event) {
  event.preventDefault();
  attempt(() => socket.close(find("code").valueAsNumber, find("reason").value));
}

function askServerToClose() {
  if (!find("close").reportValidity()) return;
  const request = JSON.stringify({ close: find("code").valueAsNumber, reason: find("reason").value });
  attempt(() => {
    socket.send(MODES[chosen(connect, "mode")].write(request));
    show("out", request);
  });
}

function showMode() {
  const mode = chosen(connect, "mode");
  find("message-label").textContent = LABELS[mode];
  offerSample(find("text"), mode);
}

connect.addEventListener("submit", open);
find("message").addEventListener("submit", sendMessage);
find("close").addEventListener("submit", closeFromHere);
find("ask-close").addEventListener("click", askServerToClose);
for (const radio of connect.elements.mode) radio.addEventListener("change", showMode);
showMode();
