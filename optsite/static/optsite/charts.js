/* Draws the charts of a ticker's page from the data in the page, in the colours of the theme that is on. */
"use strict";

const drawn = [];

function colour(name) {
    return getComputedStyle(document.querySelector(".staff-page")).getPropertyValue(name).trim();
}

function axes(fromZero) {
    const grid = { color: colour("--chart-grid") };
    const ticks = { color: colour("--chart-text"), maxRotation: 0, autoSkipPadding: 16 };
    return { x: { grid: { display: false }, ticks }, y: { grid, ticks, beginAtZero: fromZero } };
}

function options(legend) {
    return {
        animation: false,
        maintainAspectRatio: false,
        interaction: { mode: "index", intersect: false },
        plugins: { legend: { display: legend, labels: { color: colour("--chart-text"), boxWidth: 10 } } },
        scales: axes(legend),
    };
}

function draw(id, config) {
    const canvas = document.getElementById(id);
    if (canvas) {
        drawn.push(new Chart(canvas, config));
    }
}

function nothing(id, text) {
    const canvas = document.getElementById(id);
    if (canvas) {
        const line = document.createElement("p");
        line.className = "empty";
        line.textContent = text;
        canvas.replaceWith(line);
    }
}

function drawCloses(history) {
    if (!history || history.dates.length === 0) {
        nothing("close-chart", "No daily history is exported yet.");
        return;
    }
    draw("close-chart", {
        type: "line",
        data: {
            labels: history.dates,
            datasets: [{
                label: "Close", data: history.close, borderColor: colour("--chart-line"),
                backgroundColor: colour("--chart-fill"), fill: true, borderWidth: 1.5, pointRadius: 0, tension: 0,
            }],
        },
        options: options(false),
    });
}

function drawStrikes(strikes) {
    if (!strikes || ![...strikes.calls, ...strikes.puts].some((volume) => volume > 0)) {
        nothing("strike-chart", "No contract of this chain traded in this session.");
        return;
    }
    draw("strike-chart", {
        type: "bar",
        data: {
            labels: strikes.strikes,
            datasets: [
                { label: "Calls", data: strikes.calls, backgroundColor: colour("--calls") },
                { label: "Puts", data: strikes.puts, backgroundColor: colour("--puts") },
            ],
        },
        options: options(true),
    });
}

function percent(scale) {
    scale.ticks = { ...scale.ticks, callback: (value) => `${(100 * value).toFixed(0)} %` };
}

function volatilityOptions(legend) {
    const settings = options(legend);
    percent(settings.scales.y);
    settings.plugins.tooltip = {
        callbacks: { label: (item) => `${item.dataset.label}: ${(100 * item.parsed.y).toFixed(2)} %` },
    };
    return settings;
}

function drawSmile(smile) {
    if (!smile || !smile.ours.some((value) => value !== null)) {
        nothing("smile-chart", "No implied volatility could be computed for this chain.");
        return;
    }
    const along = (values) =>
        values.map((y, place) => ({ x: smile.strikes[place], y })).filter((point) => point.y !== null);
    const points = (label, values, name, style) => ({
        label, data: along(values), borderColor: colour(name), backgroundColor: colour(name), showLine: false,
        pointRadius: 2.5, pointStyle: style,
    });
    const datasets = [points("Ours", smile.ours, "--chart-line", "circle")];
    if (smile.feed) {
        datasets.push(points(`${smile.feed} states`, smile.theirs, "--puts", "cross"));
    }
    if (smile.fit.some((value) => value !== null)) {
        datasets.push({
            label: "Fit", data: along(smile.fit), borderColor: colour("--chart-text"), borderWidth: 1, pointRadius: 0,
            borderDash: [4, 3],
        });
    }
    const settings = volatilityOptions(true);
    settings.interaction = { mode: "nearest", axis: "x", intersect: false };
    settings.scales.x = { ...settings.scales.x, type: "linear", min: smile.strikes[0], max: smile.strikes.at(-1) };
    draw("smile-chart", { type: "line", data: { datasets }, options: settings });
}

function drawTerm(term) {
    const known = (term || []).filter((point) => point.atm_iv !== null);
    if (known.length === 0) {
        nothing("term-chart", "No volatility at the forward could be computed.");
        return;
    }
    draw("term-chart", {
        type: "line",
        data: {
            labels: known.map((point) => point.expiration),
            datasets: [
                {
                    label: "At the forward", data: known.map((point) => point.atm_iv),
                    borderColor: colour("--chart-line"), backgroundColor: colour("--chart-line"), borderWidth: 1.5, pointRadius: 2,
                },
                {
                    label: "Between expirations", data: known.map((point) => point.forward_volatility),
                    borderColor: colour("--chart-text"), borderWidth: 1, pointRadius: 0, stepped: "after",
                    borderDash: [4, 3],
                },
            ],
        },
        options: volatilityOptions(true),
    });
}

function drawAll() {
    const data = JSON.parse(document.getElementById("chart-data").textContent);
    drawn.splice(0).forEach((chart) => chart.destroy());
    drawCloses(data.history);
    drawStrikes(data.strikes);
    drawSmile(data.smile);
    drawTerm(data.term);
}

/* On load, not before: earlier the width and the dark theme's colours are not known. */
window.addEventListener("load", () => {
    drawAll();
    new MutationObserver(drawAll).observe(document.documentElement, { attributeFilter: ["class"] });
});
