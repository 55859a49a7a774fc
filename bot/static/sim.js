"use strict";
// Without this file every button is a form and the page is drawn anew; with it the phones follow.
const everyMs = 700;
const shown = {};

function toEnd(lines) {
  lines.parentElement.scrollTop = 0; // the newest line: the screen is stacked from its foot
}

async function look() {
  const answer = await fetch(document.body.dataset.screens, { headers: { "X-Requested-With": "script" } });
  if (!answer.ok) return;
  const { screens, now } = await answer.json();
  document.getElementById("now").textContent = now;
  for (const [kind, html] of Object.entries(screens)) {
    if (shown[kind] === html) continue;
    shown[kind] = html;
    const lines = document.getElementById(`screen-${kind}`);
    lines.innerHTML = html;
    toEnd(lines);
  }
}

async function follow() {
  try {
    if (!document.hidden) await look();
  } catch {
    // The demo is being started again; the next look finds it.
  }
  setTimeout(follow, everyMs);
}

async function post(event) {
  const form = event.target;
  if (!form.matches("form[data-script]")) return;
  event.preventDefault();
  const fields = new FormData(form, event.submitter);
  if (event.submitter?.name === "text") fields.set("do", "send");
  const typed = form.querySelector("input[name=text]:not([type=hidden])");
  if (typed && !typed.value.trim()) return;
  if (typed) typed.value = "";
  await fetch(form.action, { method: "POST", body: new URLSearchParams(fields), headers: { "X-Requested-With": "script" } });
  for (let look_ = 0; look_ < 6; look_ += 1) {
    await look();
    await new Promise((done) => setTimeout(done, 60));
  }
}

document.addEventListener("submit", post);
for (const tab of document.querySelectorAll(".tab")) {
  tab.addEventListener("change", () => {
    for (const field of document.querySelectorAll(".clock input[name=phone]")) field.value = tab.value;
    toEnd(document.getElementById(`screen-${tab.value}`));
  });
}
follow();
