#include "api/limits_body.hpp"

namespace agentdb9::api {
namespace {

constexpr std::string_view kField = "resourceLimits";
constexpr std::size_t kMostBytes = 4096;

class Reader {
  public:
    explicit Reader(Body& body) : body_(body) {}

    std::optional<std::int64_t> integer(std::string_view name, const json::value& value) {
        if (value.is_int64()) return value.get_int64();
        problem(name, "must be a whole number, or null for what the type has");
        return std::nullopt;
    }
    std::optional<double> number(std::string_view name, const json::value& value) {
        if (value.is_number()) return value.to_number<double>();
        problem(name, "must be a number, or null for what the type has");
        return std::nullopt;
    }
    void ulimits(model::LimitsChange& change, const json::value& value) {
        if (value.is_null()) {
            change.reset_ulimits = true;
        } else if (const auto* object = value.if_object()) {
            for (const auto& [name, each] : *object) {
                auto& slot = change.ulimits[std::string(name)];
                if (!each.is_null()) slot = integer("ulimits." + std::string(name), each);
            }
        } else {
            problem("ulimits", "must be an object of whole numbers");
        }
    }
    void problem(std::string_view name, std::string_view text) {
        body_.problem(std::string(kField) + "." + std::string(name), text);
    }

  private:
    Body& body_;
};

}  // namespace

std::optional<model::LimitsChange> read_limits(Body& body) {
    if (body.is_null(kField)) {
        body.ignore(kField);
        return model::LimitsChange{.reset = true};
    }
    const auto object = body.optional_object(kField, kMostBytes);
    if (!object) return std::nullopt;
    model::LimitsChange change;
    Reader reader(body);
    const auto integer = [&](std::string_view name, const json::value& value, auto& into) {
        into.emplace();
        if (!value.is_null()) *into = reader.integer(name, value);
    };
    for (const auto& [key, value] : *object) {
        const std::string_view name = key;
        if (name == "cpus") {
            change.cpus.emplace();
            if (!value.is_null()) *change.cpus = reader.number(name, value);
        } else if (name == "memory") {
            integer(name, value, change.memory_mb);
        } else if (name == "memoryReservation") {
            integer(name, value, change.memory_reservation_mb);
        } else if (name == "pids") {
            integer(name, value, change.pids);
        } else if (name == "shmSize") {
            integer(name, value, change.shm_mb);
        } else if (name == "ulimits") {
            reader.ulimits(change, value);
        } else {
            reader.problem(name, "is not a field of this call");
        }
    }
    return change;
}

}  // namespace agentdb9::api
