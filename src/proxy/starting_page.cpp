#include "proxy/starting_page.hpp"

#include <algorithm>

#include "base/crypto.hpp"
#include "base/json.hpp"

namespace agentdb9::proxy {
namespace {

using http::escape_html;
using model::Awakening;
using model::Phase;

constexpr std::string_view kStyle =
    ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;margin:15vh auto;max-width:36rem;"
    "padding:0 1rem}h1{font-size:1.5rem;line-height:1.3;overflow-wrap:anywhere}progress{width:100%}"
    "p{overflow-wrap:anywhere}small{opacity:.8}";

// An answer that says that there is nothing to wait for is shown as the page that says so; after many misses
// the browser itself may say what is wrong.
constexpr std::string_view kScript = R"js(
const main = document.querySelector("main"), state = document.querySelector("[role=status]");
const note = document.querySelector("#note"), bar = document.querySelector("progress");
let misses = 0;
function arrive() {
  // To go to the address of this page, with a fragment, would load nothing.
  if (new URL(main.dataset.open, location).href === location.href.split("#")[0]) location.reload();
  else location.replace(main.dataset.open + location.hash);
}
async function look() {
  try {
    const answer = await fetch(main.dataset.look, {headers: {Accept: "application/json"}, cache: "no-store"});
    if (answer.status >= 500) throw answer;
    if (!answer.ok) return location.replace(main.dataset.look);
    const {data} = await answer.json();
    if (data.state === "ready") return arrive();
    if (!data.goesOn) return location.replace(main.dataset.look);
    if (state.textContent !== data.text) state.textContent = data.text;
    if (note.textContent !== data.note) note.textContent = data.note;
    if (data.percent === null) bar.removeAttribute("value");
    else bar.value = data.percent;
    misses = 0;
  } catch {
    if (++misses > 30) return location.replace(main.dataset.look);
  }
  setTimeout(look, 500);
}
setTimeout(look, 200);
)js";

// A source expression of Content-Security-Policy level 3, section 2.3.1.
std::string hash_source(std::string_view text) {
    const auto digest = base::sha256(text);
    auto encoded = base::base64url_encode(std::span<const unsigned char>(digest));
    std::ranges::replace(encoded, '-', '+');
    std::ranges::replace(encoded, '_', '/');
    return "'sha256-" + encoded + "='";  // 32 bytes leave one character of padding
}

const std::string& policy() {
    static const std::string text = "default-src 'none'; connect-src 'self'; style-src " +
                                    hash_source(kStyle) + "; script-src " + hash_source(kScript) +
                                    "; base-uri 'none'; form-action 'none'";
    return text;
}

std::string_view word_of(const Waiting& waiting) {
    switch (waiting.seen.state) {
        case Awakening::State::kStarting:
            return "starting";
        case Awakening::State::kStopping:
            return "stopping";
        case Awakening::State::kStopped:
            return "stopped";
        case Awakening::State::kFailed:
            return "failed";
    }
    return "starting";
}

bool goes_on(const Waiting& waiting) {
    return waiting.seen.state == Awakening::State::kStarting && !waiting.too_long;
}

std::string_view step_of(Phase phase) {
    switch (phase) {
        case Phase::kPulling:
            return "Fetching the image.";
        case Phase::kCreating:
            return "Creating the container.";
        case Phase::kStarting:
            return "Starting the container.";
        case Phase::kProbing:
        case Phase::kRunning:
            return "Waiting for the application to answer.";
        case Phase::kSwitching:
            return "Switching to another project.";
        default:
            return "Preparing the start.";
    }
}

std::string text_of(const Waiting& waiting) {
    switch (waiting.seen.state) {
        case Awakening::State::kStopping:
            return "The workspace is being stopped.";
        case Awakening::State::kStopped:
            return "The workspace was stopped.";
        case Awakening::State::kFailed:
            return "The workspace could not be started.";
        case Awakening::State::kStarting:
            break;
    }
    if (waiting.too_long)
        return "The start takes long. It goes on, but this page does not look by itself any more.";
    return std::string(step_of(waiting.seen.phase));
}

std::string document(std::string_view head, std::string_view title, std::string_view main) {
    std::string text =
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width, initial-scale=1\"><title>";
    text.append(escape_html(title)).append("</title>").append(head);
    text.append("<style>")
        .append(kStyle)
        .append("</style></head><body>")
        .append(main)
        .append("</body></html>\n");
    return text;
}

http::Response page(int status, std::string body) {
    http::Response response;
    response.status = status;
    response.body = std::move(body);
    response.headers.add("Content-Type", "text/html; charset=utf-8");
    response.headers.add("Content-Security-Policy", policy());
    response.headers.add("Cache-Control", "no-store");
    response.headers.add("X-Content-Type-Options", "nosniff");
    response.headers.add("Referrer-Policy", "no-referrer");
    if (status == 503) response.headers.add("Retry-After", "2");
    return response;
}

http::Response state(json::object data) {
    http::Response response;
    response.body = base::to_text(json::object{{"success", true}, {"data", std::move(data)}});
    response.headers.add("Content-Type", "application/json; charset=utf-8");
    response.headers.add("Cache-Control", "no-store");
    response.headers.add("X-Content-Type-Options", "nosniff");
    return response;
}

std::string link(const std::string& to, std::string_view text) {
    return "<p><a href=\"" + escape_html(to) + "\">" + std::string(text) + "</a></p>";
}

std::string small(std::string_view code) {
    return code.empty() ? std::string() : "<p><small>" + escape_html(code) + "</small></p>";
}

std::string following(const Waiting& waiting) {
    const auto& seen = waiting.seen;
    const auto percent = seen.percent ? " value=\"" + std::to_string(*seen.percent) + "\"" : std::string();
    const auto title = "Starting " + seen.workspace;
    return document("<noscript><meta http-equiv=\"refresh\" content=\"2;url=" + escape_html(waiting.look) +
                        "\"></noscript>",
                    title,
                    "<main data-look=\"" + escape_html(waiting.look) + "\" data-open=\"" +
                        escape_html(waiting.open) + "\"><h1>" + escape_html(title) +
                        "</h1><p role=\"status\" aria-live=\"polite\">" + escape_html(text_of(waiting)) +
                        "</p><progress max=\"100\" aria-label=\"Progress of the start\"" + percent +
                        "></progress><p id=\"note\">" + escape_html(seen.note) +
                        "</p><p><small>The application opens here as soon as it is ready.</small></p></main>"
                        "<script>" +
                        std::string(kScript) + "</script>");
}

std::string ended(const Waiting& waiting) {
    const auto& seen = waiting.seen;
    std::string title = seen.workspace + " is stopped";
    std::string_view text = "Start it";
    if (seen.state == Awakening::State::kFailed) {
        title = seen.workspace + " did not start";
        text = "Try again";
    } else if (seen.state == Awakening::State::kStarting) {
        title = "Starting " + seen.workspace;
        text = "Look again";
    } else if (seen.state == Awakening::State::kStopping) {
        title = seen.workspace + " is being stopped";
    }
    std::string main = "<main><h1>" + escape_html(title) + "</h1><p role=\"status\">" +
                       escape_html(text_of(waiting)) + "</p>";
    if (!seen.note.empty()) main += "<p>" + escape_html(seen.note) + "</p>";
    return document({}, title, main + link(waiting.again, text) + small(seen.code) + "</main>");
}

}  // namespace

http::Response starting_page(const Waiting& waiting) {
    return page(503, goes_on(waiting) ? following(waiting) : ended(waiting));
}

http::Response starting_state(const Waiting& waiting) {
    return state(
        {{"state", word_of(waiting)},
         {"text", text_of(waiting)},
         {"note", waiting.seen.note},
         {"percent", waiting.seen.percent ? json::value(*waiting.seen.percent) : json::value(nullptr)},
         {"goesOn", goes_on(waiting)}});
}

http::Response ready_state() {
    return state({{"state", "ready"}, {"text", "Ready."}, {"note", ""}, {"percent", 100}, {"goesOn", false}});
}

http::Response start_refused_page(const http::Problem& problem, const std::string& again) {
    return page(problem.status,
                document({}, "AgentDB9: not started",
                         "<main><h1>The workspace was not started</h1><p role=\"status\">" +
                             escape_html(problem.message) + "</p>" + link(again, "Try again") +
                             small(std::to_string(problem.status) + " " + problem.code) + "</main>"));
}

}  // namespace agentdb9::proxy
