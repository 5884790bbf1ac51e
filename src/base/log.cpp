#include "base/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <memory>

#include "base/log_lines.hpp"
#include "base/time.hpp"

namespace agentdb9::base::log {
namespace {

struct Sink {
    std::shared_ptr<spdlog::logger> logger;
    std::atomic<Format> format{Format::kJson};

    Sink()
        : logger(std::make_shared<spdlog::logger>("agentdb9",
                                                  std::make_shared<spdlog::sinks::stderr_sink_mt>())) {
        logger->set_pattern("%v");
        logger->flush_on(spdlog::level::trace);
        logger->set_level(spdlog::level::info);
    }
};

Sink& sink() {
    static Sink instance;
    return instance;
}

spdlog::level::level_enum to_spdlog(Level level) {
    switch (level) {
        case Level::kDebug:
            return spdlog::level::debug;
        case Level::kInfo:
            return spdlog::level::info;
        case Level::kWarning:
            return spdlog::level::warn;
        case Level::kError:
            return spdlog::level::err;
        case Level::kOff:
            return spdlog::level::off;
    }
    return spdlog::level::info;
}

std::string_view name_of(Level level) {
    switch (level) {
        case Level::kDebug:
            return "debug";
        case Level::kInfo:
            return "info";
        case Level::kWarning:
            return "warning";
        case Level::kError:
            return "error";
        case Level::kOff:
            return "off";
    }
    return "info";
}

std::string json_text(const Field& field) {
    return std::visit(
        [](const auto& value) -> std::string {
            using T = std::decay_t<decltype(value)>;
            if constexpr (std::is_same_v<T, bool>) {
                return value ? "true" : "false";
            } else if constexpr (std::is_same_v<T, std::string_view>) {
                return boost::json::serialize(boost::json::string(value));
            } else {
                return boost::json::serialize(boost::json::value(value));
            }
        },
        field.value);
}

void write(Level level, std::string_view event, Fields fields) {
    if (!enabled(level)) return;
    const Time now =
        std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
    std::string line;
    if (sink().format.load(std::memory_order_relaxed) == Format::kJson) {
        line = "{\"time\":\"" + format_time(now) + "\",\"level\":\"";
        line += name_of(level);
        line += "\",\"event\":" + boost::json::serialize(boost::json::string(event));
        for (const auto& field : fields) {
            line += ",\"";
            line += field.name;
            line += "\":" + json_text(field);
        }
        line += '}';
    } else {
        line = format_time(now).substr(11, 12) + " ";
        line += name_of(level);
        line += "  ";
        line += event;
        for (const auto& field : fields) {
            line += "  ";
            line += field.name;
            line += "=" + json_text(field);
        }
    }
    sink().logger->log(to_spdlog(level), line);
}

}  // namespace

void configure(Level level, Format format) {
    sink().logger->set_level(to_spdlog(level));
    sink().format = format;
}

bool enabled(Level level) {
    return sink().logger->should_log(to_spdlog(level));
}

void debug(std::string_view event, Fields fields) {
    write(Level::kDebug, event, fields);
}
void info(std::string_view event, Fields fields) {
    write(Level::kInfo, event, fields);
}
void warning(std::string_view event, Fields fields) {
    write(Level::kWarning, event, fields);
}
void error(std::string_view event, Fields fields) {
    write(Level::kError, event, fields);
}

void exception(std::string_view event, const std::exception_ptr& failure, Fields fields) {
    std::string line(event);
    line += ": " + describe(failure);
    write(Level::kError, line, fields);
}

void lines(std::string_view text) {
    // The sink adds the last LF, and keeps lines of several threads apart.
    if (text.ends_with('\n')) text.remove_suffix(1);
    const spdlog::details::log_msg message("agentdb9", spdlog::level::info, {text.data(), text.size()});
    sink().logger->sinks().front()->log(message);
}

std::string describe(const std::exception_ptr& failure) {
    if (!failure) return "no error";
    try {
        std::rethrow_exception(failure);
    } catch (const std::exception& known) {
        return known.what();
    } catch (...) {
        return "an exception of an unknown type";
    }
}

}  // namespace agentdb9::base::log
