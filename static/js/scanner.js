// Scanning: one focused input for a keyboard-wedge scanner, a camera where the browser reads codes,
// one scan at a time, and a sound for each answer. The protocol: docs/design_system.md, "Scanning".

const SAME_SCAN_MS = 700;
const CAMERA_EVERY_MS = 120;
const FORMATS = ["code_128", "data_matrix", "qr_code", "ean_13", "ean_8", "upc_a", "upc_e", "itf", "code_39"];
const SOUND_KEY = "stockcast-scan-sound";
const KEYBOARD_KEY = "stockcast-scan-keyboard";
const SEPARATOR = "\u001d";

const step = () => document.getElementById("scan-step");
const form = () => document.querySelector("[data-scan-form]");
const input = () => document.querySelector("[data-scan-input]");

// -- settings that stay on this device -----------------------------------------------------------
function setting(key, usual) {
  try {
    return localStorage.getItem(key) ?? usual;
  } catch {
    return usual;
  }
}

function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Without storage the choice lasts for this page.
  }
}

function showSettings() {
  const hasSound = setting(SOUND_KEY, "on") === "on";
  const hasKeyboard = setting(KEYBOARD_KEY, "off") === "on";
  document.querySelector("[data-scan-sound]")?.setAttribute("aria-pressed", String(hasSound));
  document.querySelector("[data-scan-keyboard]")?.setAttribute("aria-pressed", String(hasKeyboard));
  const field = input();
  if (field && !("scanNumber" in field.dataset)) field.inputMode = hasKeyboard ? "text" : "none";
}

// -- sound and vibration -------------------------------------------------------------------------
let audio = null;

function tone(frequency, startS, lengthS, shape) {
  const source = audio.createOscillator();
  const volume = audio.createGain();
  const from = audio.currentTime + startS;
  source.type = shape;
  source.frequency.value = frequency;
  volume.gain.setValueAtTime(0.2, from);
  volume.gain.exponentialRampToValueAtTime(0.001, from + lengthS);
  source.connect(volume).connect(audio.destination);
  source.start(from);
  source.stop(from + lengthS);
}

function signal(result) {
  const isRefused = result === "refused";
  // Both need a first touch or key, and ask for nothing before it.
  if (!navigator.userActivation?.hasBeenActive) return;
  navigator.vibrate?.(isRefused ? [90, 60, 90] : 40);
  if (setting(SOUND_KEY, "on") !== "on" || !window.AudioContext) return;
  audio ??= new AudioContext();
  if (isRefused) {
    tone(220, 0, 0.14, "square");
    tone(165, 0.18, 0.22, "square");
  } else {
    tone(1320, 0, 0.09, "sine");
  }
}

// -- one scan at a time --------------------------------------------------------------------------
const waiting = [];
let sending = null;
let last = { code: "", step: "", at: -Infinity };

function accept(code) {
  const text = code.replace(/[\r\n\t]+$/, "");
  if (!text.trim()) return;
  const now = performance.now();
  const here = step().dataset.scanStep;
  const isRepeat = text === last.code && here === last.step && now - last.at < SAME_SCAN_MS;
  last = { code: text, step: here, at: now };
  if (isRepeat) return;
  waiting.push(text);
  send();
}

function send() {
  if (sending || !waiting.length) return;
  submit({ scan: waiting.shift(), action: "", isOnItsWay: false });
}

function press(action) {
  if (sending) return;
  waiting.length = 0;
  submit({ scan: "", action, isOnItsWay: false });
}

function submit(what) {
  sending = what;
  // Later: a form ignores requestSubmit while its own submit event is being heard.
  setTimeout(() => form().requestSubmit());
}

// Every submit is held back and comes again as ours, so that scans are sent one after the other.
document.addEventListener(
  "submit",
  (event) => {
    if (!event.target.matches("[data-scan-form]") || !window.htmx) return;
    if (sending && !sending.isOnItsWay) {
      sending.isOnItsWay = true;
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    if (event.submitter?.name === "action") press(event.submitter.value);
    else takeInput();
  },
  true,
);

function takeInput() {
  const code = input().value;
  input().value = "";
  accept(code);
}

document.addEventListener("htmx:configRequest", (event) => {
  if (!event.detail.elt.matches("[data-scan-form]") || !sending) return;
  event.detail.parameters.scan = sending.scan;
  if (sending.action) event.detail.parameters.action = sending.action;
  else delete event.detail.parameters.action;
});

// A scan that did not arrive comes back into the input: sent again it counts once, its key is the same.
document.addEventListener("htmx:afterRequest", (event) => {
  const isAnswered = event.detail.successful || event.detail.xhr.status === 422;
  if (!event.detail.elt.matches("[data-scan-form]") || !sending || isAnswered) return;
  const lost = sending;
  sending = null;
  waiting.length = 0;
  last = { code: "", step: "", at: -Infinity };
  input().value = lost.scan;
  signal("refused");
  focusInput();
});

let typedMeanwhile = "";

document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id === "scan-step") typedMeanwhile = input()?.value ?? "";
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id !== "scan-step") return;
  const result = event.target.dataset.scanResult;
  // What was scanned behind a refused code was meant for another step.
  if (result === "refused") waiting.length = 0;
  if (input()) input().value = typedMeanwhile;
  typedMeanwhile = "";
  showSettings();
  focusInput();
  signal(result);
});

// Only now does htmx know the new form.
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id !== "scan-step") return;
  sending = null;
  send();
});

// A label, taken away to be printed while the next scan goes on.
document.addEventListener("scan-file", (event) => {
  const link = document.createElement("a");
  link.href = event.detail.href;
  link.download = "";
  document.body.append(link);
  link.click();
  link.remove();
});

// -- the input keeps the focus -------------------------------------------------------------------
function focusInput() {
  if (document.querySelector("dialog[open], [popover]:popover-open")) return;
  input()?.focus({ preventScroll: true });
}

function insert(text) {
  const field = input();
  field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
}

document.addEventListener("keydown", (event) => {
  const field = input();
  if (!field) return;
  if (event.target === field) {
    // Scanners send FNC1 as Ctrl+], which browsers do not put into an input.
    if (event.ctrlKey && (event.key === "]" || event.code === "BracketRight")) {
      event.preventDefault();
      insert(SEPARATOR);
    } else if (event.key === "Tab" && field.value && !event.shiftKey) {
      event.preventDefault();
      takeInput();
    }
    return;
  }
  const isTyping = event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey;
  if (isTyping && !event.target.closest("input, select, textarea, button, a, summary, dialog")) focusInput();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("a, input, select, textarea, summary, label, dialog, [popovertarget], [data-dialog-open]")) return;
  focusInput();
});
window.addEventListener("focus", focusInput);
document.addEventListener("close", focusInput, true);

// -- tools: sound, keyboard, camera --------------------------------------------------------------
function flip(key, usual) {
  remember(key, setting(key, usual) === "on" ? "off" : "on");
  showSettings();
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-scan-sound]")) flip(SOUND_KEY, "on");
  if (event.target.closest("[data-scan-keyboard]")) {
    flip(KEYBOARD_KEY, "off");
    input()?.blur();
    focusInput();
  }
  if (event.target.closest("[data-scan-camera]")) look();
});

const canSee = "BarcodeDetector" in window && Boolean(navigator.mediaDevices?.getUserMedia);
const camera = document.getElementById("scan-camera");
let stream = null;

async function look() {
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    const known = await BarcodeDetector.getSupportedFormats();
    const detector = new BarcodeDetector({ formats: FORMATS.filter((format) => known.includes(format)) });
    const video = camera.querySelector("video");
    video.srcObject = stream;
    camera.showModal();
    await video.play();
    watch(detector, video);
  } catch {
    stopLooking();
    const text = camera.dataset.refused;
    document.dispatchEvent(new CustomEvent("toast", { detail: { text, tone: "danger" } }));
  }
}

async function watch(detector, video) {
  if (!stream) return;
  const [found] = await detector.detect(video).catch(() => []);
  if (!found) {
    setTimeout(() => watch(detector, video), CAMERA_EVERY_MS);
    return;
  }
  camera.close();
  accept(found.rawValue);
}

function stopLooking() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = null;
}

camera?.addEventListener("close", stopLooking);
if (canSee) document.querySelector("[data-scan-camera]")?.removeAttribute("hidden");

showSettings();
focusInput();
