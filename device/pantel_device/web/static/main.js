/** The page of the receiver: builds its parts and leads what comes over the connection to them. */

import { Alerts } from "./alerts.js";
import { announce, note } from "./announcer.js";
import { Asking } from "./ask.js";
import { Connection } from "./connection.js";
import { byId, setAttribute, setText } from "./dom.js";
import { EventList } from "./events.js";
import { LinkPanel } from "./link.js";
import { nextTheme, prefer, preferences } from "./preferences.js";
import { Recordings } from "./recordings.js";
import { AUTO, SenderCards, SenderChoice } from "./senders.js";
import { listenToKeys, prepareHelp } from "./shortcuts.js";
import { Stage, toggleFullScreen } from "./stage.js";
import { StillTimeline } from "./stills.js";
import { LANGUAGES, duration, language, loadTexts, t } from "./texts.js";

const TICK_MS = 250;
const LET_GO_AFTER_MS = 60_000; // a hidden tab takes one of eight places

/** @type {import("./wire.js").ReceiverState | null} */
let state = null;
let stateAt = 0;
let statusBefore = "";
/** @type {number | undefined} */
let letGo;

await loadTexts();
document.title = t("title");

const stage = new Stage();
const link = new LinkPanel();
const events = new EventList();
const stills = new StillTimeline();
const recordings = new Recordings();
const cards = new SenderCards();
const alerts = new Alerts();
const asking = new Asking(shownSender);
const choice = new SenderChoice(() => chooseAgain());
const connection = new Connection(wanted());

connection.listen("status", takeStatus);
connection.listen("state", takeState);
connection.listen("picture", takePicture);
connection.listen("event", takeEvent);

prepareControls();
prepareHelp();
listenToKeys(
  {
    o: toggleOverlay,
    v: nextView,
    f: toggleFullScreen,
    s: () => asking.toggleStill(),
    w: () => asking.toggleWatch(),
    "?": () => byId("help-dialog").showModal(),
    escape: () => {
      if (!asking.cancel()) byId("stage").classList.remove("fills-window");
    },
  },
  (place) => choice.choosePlace(place),
);
document.addEventListener("visibilitychange", attend);
choice.update([]);
connection.start();
setInterval(tick, TICK_MS);
tick();

/** What pictures are asked for. */
function wanted() {
  return preferences.view ? { sender: choice.chosen, view: preferences.view } : { sender: choice.chosen };
}

/** Returns the view on show: the receiver names its own first. */
function shownView() {
  return preferences.view ?? state?.views[0];
}

function chooseAgain() {
  if (stage.sender !== null && choice.chosen !== AUTO && stage.sender !== choice.chosen) stage.forget();
  connection.choose(wanted());
  if (connection.status.kind === "fallback") stage.fallBack(wanted());
  if (state) takeState(state);
}

/** Returns the name of the sender whose picture is on show, or would be. */
function shownSender() {
  return stage.sender ?? (choice.chosen === AUTO ? (state?.heard_last ?? null) : choice.chosen);
}

/** @param {import("./wire.js").ReceiverState} news */
function takeState(news) {
  if (news !== state) {
    state = news;
    stateAt = performance.now();
    link.update(state.link);
  }
  choice.update(state.senders);
  cards.update(state.senders, sinceState_s());
  asking.update(state);
  tellViews(state.views);
  byId("stills").hidden = !state.can.stills;
  byId("recordings").hidden = !state.can.recordings;
  if (state.can.recordings) recordings.refresh();
  byId("log-out").hidden = !state.can.log_out;
  setText(byId("version"), t("footer.version", { version: state.version }));
}

/** @param {import("./wire.js").LivePicture} picture */
function takePicture(picture) {
  // One that was on its way when another sender was chosen comes too late.
  if (choice.chosen === AUTO || choice.chosen === picture.header.sender) stage.show(picture);
}

/** @param {import("./wire.js").ReceiverEvent} event */
function takeEvent(event) {
  events.add(event);
  if (event.kind === "alarm") alerts.take(event);
  if (event.kind === "still" || event.kind === "still_grows") stills.take(event);
  if (event.kind === "command") asking.answered(event);
  if (event.kind === "text") note(t("text.from", { sender: `${event.callsign}-${event.sender}`, text: event.text }));
}

function takeStatus() {
  const { kind } = connection.status;
  setAttribute(byId("status"), "data-status", kind);
  stage.fallBack(kind === "fallback" ? wanted() : null);
  byId("fallback-note").hidden = kind !== "fallback";
  if (kind !== statusBefore && (kind === "live" || kind === "fallback")) {
    events.load();
    stills.load();
  }
  if (kind !== statusBefore && statusBefore !== "") announce(t(`status.${kind}`));
  statusBefore = kind;
  tick();
}

function sinceState_s() {
  return (performance.now() - stateAt) / 1000;
}

/** Brings all ages up to date. */
function tick() {
  if (document.hidden) return;
  const { kind, retryAt } = connection.status;
  setText(byId("status-words"), t(`status.${kind}`));
  const shown = state?.senders.find((sender) => sender.name === shownSender());
  const since_s = sinceState_s();
  const age = (/** @type {number | null | undefined} */ age_s) => (age_s == null ? null : age_s + since_s);
  const ages = state?.senders.flatMap(({ packet_age_s }) => packet_age_s ?? []) ?? [];
  const newest_s = ages.length ? Math.min(...ages) + since_s : null;
  if (state) link.tick(newest_s, state.senders.some((sender) => sender.alive));
  const pictured = stage.sender !== null || kind === "fallback";
  const packetAge_s = age(shown?.packet_age_s);
  stage.tell({ status: kind, state, chosen: choice.chosen, pictured }, { retryAt, packetAge_s });
  setText(byId("pulse-age"), newest_s === null ? "" : duration(newest_s, 1));
  asking.tick();
  asking.allow(shownSender() !== null);
}

/** Lets the connection go when nobody looks for a minute, and takes it up again. */
function attend() {
  clearTimeout(letGo);
  if (!document.hidden) connection.retryNow();
  else if (!preferences.alerts) letGo = setTimeout(() => connection.pause(), LET_GO_AFTER_MS);
}

function prepareControls() {
  byId("full-screen").addEventListener("click", toggleFullScreen);
  byId("theme").addEventListener("click", () => {
    nextTheme();
    tellTheme();
  });
  tellTheme();
  byId("language").addEventListener("click", () => {
    prefer({ language: LANGUAGES[(LANGUAGES.indexOf(language) + 1) % LANGUAGES.length] });
    location.reload();
  });
  for (const part of /** @type {const} */ (["objects", "ages", "madeUp"])) {
    const button = byId(`overlay-${part}`);
    button.addEventListener("click", () => setOverlay({ ...preferences.overlay, [part]: !preferences.overlay[part] }));
  }
  for (const input of viewInputs()) input.addEventListener("change", () => setView(String(input.dataset.view)));
  setOverlay(preferences.overlay);
}

function tellTheme() {
  const button = byId("theme");
  const label = t("theme.label", { theme: t(`theme.${preferences.theme}`) });
  button.setAttribute("aria-label", label);
  button.title = label;
  button.querySelector("use").setAttribute("href", `#icon-theme-${preferences.theme}`);
}

/** @param {import("./overlay.js").Parts} parts */
function setOverlay(parts) {
  prefer({ overlay: parts });
  for (const [part, on] of Object.entries(parts)) byId(`overlay-${part}`).setAttribute("aria-pressed", String(on));
  stage.redraw();
}

/** Switches all marks off, or on. */
function toggleOverlay() {
  const on = !Object.values(preferences.overlay).some(Boolean);
  setOverlay({ objects: on, ages: on, madeUp: on });
  note(t(on ? "overlay.now_on" : "overlay.now_off"));
}

/** @param {string} view */
function setView(view) {
  prefer({ view });
  chooseAgain();
}

function nextView() {
  const views = state?.views ?? [];
  if (views.length < 2) return;
  setView(views[(views.indexOf(String(shownView())) + 1) % views.length]);
  note(t(`view.${preferences.view}`));
}

/** @param {string[]} views those that the receiver has */
function tellViews(views) {
  byId("views").hidden = views.length < 2;
  for (const input of viewInputs()) {
    input.checked = input.dataset.view === shownView();
    /** @type {HTMLElement} */ (input.closest("label")).hidden = !views.includes(String(input.dataset.view));
  }
}

function viewInputs() {
  return /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("[data-view]"));
}
