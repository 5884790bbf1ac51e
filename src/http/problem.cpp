#include "http/problem.hpp"

#include <cmath>

#include "base/json.hpp"

namespace agentdb9::http {
namespace {

// A refused request may carry any bytes in its path, but a response is UTF-8. Only plain characters are
// echoed.
std::string printable(std::string_view text) {
    std::string safe(text);
    for (char& c : safe) {
        if (c < 0x20 || c > 0x7e) c = '?';
    }
    return safe;
}

// A whole one without an exponent.
json::value number(double value) {
    if (value == std::floor(value) && std::abs(value) < 1e15) return static_cast<std::int64_t>(value);
    return value;
}

}  // namespace

std::string escape_html(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
        switch (c) {
            case '&':
                escaped += "&amp;";
                break;
            case '<':
                escaped += "&lt;";
                break;
            case '>':
                escaped += "&gt;";
                break;
            case '"':
                escaped += "&quot;";
                break;
            case '\'':
                escaped += "&#39;";
                break;
            default:
                escaped += c;
        }
    }
    return escaped;
}

std::string problem_json(const Problem& problem, const ProblemContext& context) {
    json::object body{
        {"success", false},
        {"error", problem.message},
        {"message", problem.message},
        {"code", problem.code},
        {"statusCode", problem.status},
        {"requestId", printable(context.request_id)},
        {"timestamp", base::format_time(context.now)},
        {"path", printable(context.path)},
        {"method", printable(context.method)},
    };
    if (!problem.details.empty()) {
        json::array details;
        for (const auto& detail : problem.details) {
            json::object row{{"field", detail.field}, {"problem", detail.problem}};
            if (detail.amounts) {
                row["limit"] = number(detail.amounts->limit);
                row["used"] = number(detail.amounts->used);
                row["asked"] = number(detail.amounts->asked);
            }
            details.push_back(std::move(row));
        }
        body["details"] = std::move(details);
    }
    return base::to_text(body);
}

std::string problem_html(const Problem& problem, const ProblemContext& context) {
    const std::string status = std::to_string(problem.status);
    return "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>AgentDB9: " +
           status +
           "</title><style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;margin:15vh "
           "auto;max-width:36rem;padding:0 1rem}h1{font-size:1.5rem;line-height:1.3}"
           "small{opacity:.8}</style></head><body><main><h1>" +
           escape_html(problem.message) + "</h1><p><small>" + status + " " + escape_html(problem.code) +
           " &middot; " + escape_html(printable(context.method)) + " " +
           escape_html(printable(context.path)) + " &middot; request " +
           escape_html(printable(context.request_id)) + " &middot; " + base::format_time(context.now) +
           "</small></p></main></body></html>\n";
}

}  // namespace agentdb9::http
