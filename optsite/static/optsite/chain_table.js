/* Brings the strike nearest to the spot into the middle of the chain's table. */
"use strict";

window.addEventListener("load", () => {
    const frame = document.getElementById("chain-scroll");
    const row = document.getElementById("at-the-money");
    if (frame && row) {
        frame.scrollTop = row.offsetTop - frame.clientHeight / 2;
    }
});
