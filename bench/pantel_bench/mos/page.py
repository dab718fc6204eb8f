"""The page on which people vote: no name of a codec is in it, nor in anything it asks the server for."""

from __future__ import annotations

__all__ = ["PAGE"]

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Which picture is better?</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body { font: 16px/1.5 sans-serif; margin: 1.5em auto; max-width: 68em; padding: 0 1em; text-align: center }
figure { display: inline-block; margin: .4em }
img { display: block; image-rendering: pixelated; min-width: 256px; max-width: 100% }
button { font: inherit; padding: .5em 1.4em; margin: .3em }
#start, #end { margin: 4em 0 }
[hidden] { display: none }
</style>
<section id="start">
<p>You will see a photograph and two versions of it that were sent in a few hundred bytes. Say which one shows better
what is in the photograph. The keys &larr;, &darr; and &rarr; do the same as the buttons.</p>
<form><label>Your name or initials: <input id="person" maxlength="40" required></label> <button>Begin</button></form>
</section>
<section id="vote" hidden>
<p id="count"></p>
<figure><img id="left" alt="left version"><figcaption><button data-choice="left">left is better</button></figcaption>
</figure>
<figure><img id="source" alt="the photograph"><figcaption><button data-choice="equal">no difference</button>
</figcaption></figure>
<figure><img id="right" alt="right version"><figcaption><button data-choice="right">right is better</button>
</figcaption></figure>
</section>
<section id="end" hidden><p>That was all. Thank you.</p></section>
<p id="problem" role="alert"></p>
<script>
const at = id => document.getElementById(id);
let person = "", pair = null, shown = 0, busy = true;
function show(id) { for (const s of ["start", "vote", "end"]) at(s).hidden = s !== id; }
async function ask(path, body) {
  const answer = await fetch(path, body && { method: "POST", body: JSON.stringify(body) });
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.error);
  return content;
}
function loaded(image, address) {
  return new Promise((good, bad) => {
    image.onload = good;
    image.onerror = () => bad(new Error("a picture did not come"));
    image.src = address;
  });
}
async function next() {
  busy = true;
  try {
    pair = await ask("next?person=" + encodeURIComponent(person));
    if (pair.done) return show("end");
    at("count").textContent = `${pair.voted + 1} of ${pair.total}`;
    const query = `?pair=${pair.pair}&person=${encodeURIComponent(person)}`;
    await Promise.all(["left", "source", "right"].map(side => loaded(at(side), `picture/${side}${query}`)));
    show("vote");
    shown = performance.now();
    busy = false;
    at("problem").textContent = "";
  } catch (error) {
    at("problem").textContent = (error.message || "the server does not answer") + " - trying again";
    setTimeout(next, 3000);
  }
}
async function vote(choice) {
  if (busy) return;
  busy = true;
  try {
    await ask("vote", { person, pair: pair.pair, choice, seconds: (performance.now() - shown) / 1000 });
    at("problem").textContent = "";
    next();
  } catch (error) { busy = false; at("problem").textContent = error.message || "the server does not answer"; }
}
document.forms[0].onsubmit = event => {
  event.preventDefault();
  person = at("person").value.trim();
  if (person) next();
};
for (const button of document.querySelectorAll("[data-choice]")) button.onclick = () => vote(button.dataset.choice);
document.onkeydown = event => {
  const choice = { ArrowLeft: "left", ArrowDown: "equal", ArrowRight: "right" }[event.key];
  if (choice && !event.repeat && !at("vote").hidden) { event.preventDefault(); vote(choice); }
};
</script>
</html>
"""
