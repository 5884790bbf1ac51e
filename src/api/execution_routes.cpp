#include "api/execution_routes.hpp"

#include "api/command_text.hpp"
#include "api/envelope.hpp"
#include "api/event_stream.hpp"

namespace agentdb9::api {
namespace {

using base::WorkspaceId;
using services::CommandReader;

// Where a command says nothing for so long, the stream does.
constexpr std::chrono::seconds kQuiet{15};

// One command's events.
class CommandStream {
  public:
    CommandStream(base::Clock& clock, std::shared_ptr<CommandReader> reader, CommandEncoding encoding)
        : clock_(clock), reader_(std::move(reader)), output_(encoding) {}

    Task<std::optional<std::string>> next() {
        if (over_) co_return std::nullopt;
        std::optional<base::Error> failure;
        try {
            auto came = co_await base::with_timeout(clock_, kQuiet, reader_->next());
            if (!came) co_return std::string();
            if (*came) co_return output_.event(**came);
        } catch (const base::Error& error) {
            failure = error;
        }
        over_ = true;
        co_return failure ? output_.last(*failure) : output_.last(reader_->how_it_ended());
    }

  private:
    base::Clock& clock_;
    std::shared_ptr<CommandReader> reader_;
    StreamedOutput output_;
    bool over_ = false;
};

Task<http::Response> run(const ExecutionServices& s, Call& call) {
    const auto id = call.id<WorkspaceId>("id");
    auto who = s.executions.pending(call.user());
    // Whether it is there, and whose, comes before what is wrong with the body.
    co_await s.workspaces.find(call.user().user, id);
    Body body(call.request);
    auto wanted = read_command(body, s.executions.limits());
    const bool streams = http::list_has(call.request.headers.get("Accept").value_or(""), "text/event-stream");
    auto reader = co_await s.executions.run(std::move(who), id, std::move(wanted.request));
    if (streams) {
        auto stream = std::make_shared<CommandStream>(s.clock, std::move(reader), wanted.encoding);
        co_return event_stream([stream] { return stream->next(); });
    }
    CollectedOutput output;
    while (const auto piece = co_await reader->next())
        output.add(*piece);
    co_return ok(output.to_json(reader->how_it_ended(), wanted.encoding));
}

}  // namespace

void add_execution_routes(Router& router, const ExecutionServices& services) {
    // Who has gone needs no answer, and is to leave nothing running.
    router.add_attended("POST", "/api/workspaces/:id/exec", Access::kUser,
                        [services](Call& call) { return run(services, call); });
}

}  // namespace agentdb9::api
