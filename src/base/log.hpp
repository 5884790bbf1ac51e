// Structured logs: one event a line, as JSON, or in a form for people when standard error is a terminal. Any
// thread. Secrets (passwords, tokens, cookies) are never logged, not even in part.
#pragma once

#include <cstdint>
#include <exception>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace agentdb9::base::log {

enum class Level { kDebug, kInfo, kWarning, kError, kOff };
enum class Format { kJson, kHuman };

struct Field {
    std::string_view name;
    std::variant<std::string_view, std::int64_t, double, bool> value;

    Field(std::string_view n, std::string_view v) : name(n), value(v) {}
    Field(std::string_view n, const std::string& v) : name(n), value(std::string_view(v)) {}
    Field(std::string_view n, const char* v) : name(n), value(std::string_view(v)) {}
    Field(std::string_view n, bool v) : name(n), value(v) {}
    Field(std::string_view n, double v) : name(n), value(v) {}
    template <std::integral T>
    Field(std::string_view n, T v) : name(n), value(static_cast<std::int64_t>(v)) {}
};
using Fields = std::initializer_list<Field>;

// Absent a call, events of level info and above go to standard error as JSON.
void configure(Level level, Format format);
bool enabled(Level level);

void debug(std::string_view event, Fields fields = {});
void info(std::string_view event, Fields fields = {});
void warning(std::string_view event, Fields fields = {});
void error(std::string_view event, Fields fields = {});
// Logs what `failure` says, at level error.
void exception(std::string_view event, const std::exception_ptr& failure, Fields fields = {});

// The text of any exception, for logs.
std::string describe(const std::exception_ptr& failure);

}  // namespace agentdb9::base::log

namespace agentdb9 {
namespace log = base::log;
}
