/* Brings the strike nearest to the spot into the middle of the chain's table, a whole row at the top of it. */
"use strict";

window.addEventListener("load", () => {
    const frame = document.getElementById("chain-scroll");
    const middle = document.getElementById("at-the-money");
    if (!frame || !middle) {
        return;
    }
    const head = frame.querySelector("thead").offsetHeight;
    const above = middle.offsetTop - (head + frame.clientHeight) / 2;
    const rows = [...frame.querySelectorAll("tbody tr")];
    const first = rows.findLast((row) => row.offsetTop - head <= above) || rows[0];
    frame.scrollTop = first.offsetTop - head;
});
