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
    if (!history || !history.close.some((close) => close !== null)) {
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

/* Where our volatilities lie, with some room: a feed's in the far wings would leave them a corner of the chart. */
function windowOf(smile) {
    const known = smile.strikes.filter((_, place) => smile.ours[place] !== null);
    const [low, high] = [known[0], known.at(-1)];
    const room = Math.max((high - low) / 10, 1e-6);
    return {
        min: Math.max(low - room, Math.min(low, smile.strikes[0])),
        max: Math.min(high + room, Math.max(high, smile.strikes.at(-1))),
        top: 1.3 * Math.max(...smile.ours),
    };
}

function drawSmile(smile) {
    if (!smile || !smile.ours.some((value) => value !== null)) {
        nothing("smile-chart", "No implied volatility could be computed for this chain.");
        return;
    }
    const shown = windowOf(smile);
    const along = (values) => values
        .map((y, place) => ({ x: smile.strikes[place], y }))
        .filter((point) => point.y !== null && point.x >= shown.min && point.x <= shown.max && point.y <= shown.top);
    const points = (label, values, name, style, radius, order) => ({
        label, data: along(values), borderColor: colour(name), backgroundColor: colour(name), showLine: false,
        pointRadius: radius, pointStyle: style, order,
    });
    const datasets = [points("Ours", smile.ours, "--chart-line", "circle", 2.5, 2)];
    if (smile.feed) {
        datasets.push(points(`${smile.feed} states`, smile.theirs, "--puts", "cross", 3.5, 1));
    }
    if (smile.fit.some((value) => value !== null)) {
        datasets.push({
            label: "Fit", data: along(smile.fit), borderColor: colour("--chart-text"), borderWidth: 1.5, pointRadius: 0,
            pointStyle: "line", borderDash: [4, 3], order: 0,
        });
    }
    const settings = volatilityOptions(true);
    settings.interaction = { mode: "nearest", axis: "x", intersect: false };
    settings.plugins.legend.labels = {
        ...settings.plugins.legend.labels, usePointStyle: true, boxHeight: 6, sort: (a, b) => a.datasetIndex - b.datasetIndex,
    };
    settings.scales.x = { ...settings.scales.x, type: "linear", min: shown.min, max: shown.max };
    settings.scales.x.ticks = { ...settings.scales.x.ticks, includeBounds: false };
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
