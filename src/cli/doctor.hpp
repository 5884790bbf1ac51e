// `agentdb9 doctor`: looks at everything that the server depends on, and says what to do. Changes nothing.
// Works beside a running server, without one, without an engine, and before the first start. Blocks; one
// thread.
#pragma once

#include <string>
#include <vector>

#include "cli/context.hpp"

namespace agentdb9::cli {

struct Finding {
    enum class State { kOk, kWarning, kProblem };
    std::string check;  // "engine"
    State state = State::kOk;
    std::string what;    // a sentence
    std::string advice;  // what to do; empty when there is nothing to do
};
std::string_view to_text(Finding::State state);

class Findings {
  public:
    void ok(std::string check, std::string what) {
        all_.push_back({std::move(check), Finding::State::kOk, std::move(what), {}});
    }
    void warning(std::string check, std::string what, std::string advice) {
        all_.push_back({std::move(check), Finding::State::kWarning, std::move(what), std::move(advice)});
    }
    void problem(std::string check, std::string what, std::string advice) {
        all_.push_back({std::move(check), Finding::State::kProblem, std::move(what), std::move(advice)});
    }
    const std::vector<Finding>& all() const { return all_; }
    bool has_problem() const;

  private:
    std::vector<Finding> all_;
};

// Never throws for what it looks at: that is what it reports.
Findings examine(const Context& context);

}  // namespace agentdb9::cli
