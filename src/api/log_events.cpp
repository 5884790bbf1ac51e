#include "api/log_events.hpp"

#include "api/event_stream.hpp"
#include "api/log_text.hpp"

namespace agentdb9::api {
namespace {

struct Text {
    std::string operator()(const runtime::Usage& usage) const { return event_text("stats", to_json(usage)); }
    std::string operator()(const services::LogLine& line) const {
        return event_text("line", to_json(line.line), services::to_text(line.id));
    }
    std::string operator()(const services::InstanceSeen& seen) const {
        if (!seen.instance) {
            return event_text(
                "instance",
                json::object{{"id", nullptr}, {"name", nullptr}, {"generation", nullptr}, {"state", "none"}});
        }
        const auto& instance = *seen.instance;
        return event_text("instance", json::object{{"id", instance.id},
                                                   {"name", instance.name},
                                                   {"generation", instance.generation},
                                                   {"state", model::to_text(instance.state)}});
    }
    std::string operator()(const services::LeftOut& left_out) const {
        return event_text(
            "left-out",
            json::object{
                {"lines", left_out.lines ? json::value(*left_out.lines) : json::value(nullptr)},
                {"message", left_out.lines ? "Lines were left out here, for there were more than could be "
                                             "taken; GET /api/workspaces/{id}/logs?since= has them."
                                           : "Lines may be missing here, for there were more than could "
                                             "be read."}});
    }
    std::string operator()(const services::Interrupted& interrupted) const {
        return event_text("interrupted",
                          json::object{{"code", interrupted.code}, {"message", interrupted.message}});
    }
    std::string operator()(const services::Deleted&) const {
        return event_text("deleted", json::object{{"message", "The workspace was deleted."}});
    }
};

}  // namespace

std::string log_event_text(const services::LogEvent& event) {
    return std::visit(Text(), event);
}

std::string usage_event_text(const services::UsageEvent& event) {
    return std::visit(Text(), event);
}

}  // namespace agentdb9::api
