// The one shape of a refusal, whichever plane gives it. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"

namespace agentdb9::http {

struct Problem {
    int status = 500;
    std::string code;     // lower_snake_case, stable, part of the API
    std::string message;  // one sentence for a person: what is wrong and what to do
    std::vector<base::FieldProblem> details;
};

// What a refusal says about the request it refuses. The path is without query: queries may hold secrets.
struct ProblemContext {
    std::string_view request_id;
    std::string_view method;
    std::string_view path;
    base::Time now;
};

// The JSON text of DESIGN "HTTP contract". Bytes of the request that are not UTF-8 come out as '?'.
std::string problem_json(const Problem& problem, const ProblemContext& context);

// The same facts as a page, for a browser's navigation.
std::string problem_html(const Problem& problem, const ProblemContext& context);

// `text` for an element's content or an attribute in quotes.
std::string escape_html(std::string_view text);

}  // namespace agentdb9::http
