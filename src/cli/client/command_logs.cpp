// logs: what a workspace's container prints, once or as it comes.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <thread>

#include "cli/client/commands.hpp"
#include "cli/client/objects.hpp"
#include "cli/client/operation.hpp"
#include "cli/client/server_sent_events.hpp"
#include "cli/client/text.hpp"
#include "runtime/docker/engine_client.hpp"

namespace agentdb9::cli::client {
namespace {

constexpr std::chrono::seconds kPause{1};
// A server that is gone for so long in a row is.
constexpr std::chrono::seconds kPatience{60};

struct Wanted {
    std::string workspace;
    int tail = -1;
    std::string since;
    bool follow = false;
    bool timestamps = false;
};

std::string query_of(const Wanted& wanted) {
    std::string query;
    const auto add = [&](const char* name, const std::string& value) {
        query += (query.empty() ? "?" : "&") + std::string(name) + "=" + value;
    };
    if (wanted.tail >= 0) add("tail", std::to_string(wanted.tail));
    if (!wanted.since.empty()) add("since", runtime::docker::percent_encode(wanted.since));
    return query;
}

void print_line(const json::object& line, const Wanted& wanted) {
    if (wanted.timestamps) std::cout << text_in(line, "time") << " ";
    std::cout << text_in(line, "line") << "\n";
}

void print_once(Api& api, const std::string& path, const Wanted& wanted, bool as_json) {
    const auto answer = api.get(path + query_of(wanted));
    const auto data = answer.data();
    if (as_json) return print_json(data);
    for (const auto& each : rows_of(data, api.url()))
        print_line(each.as_object(), wanted);
    if (const auto note = text_in(answer.body, "message"); !note.empty())
        std::cerr << "agentdb9: " << printable(note) << "\n";
}

// One stream after the other, each where the one before had come to: they end by themselves now and then.
class Follower {
  public:
    Follower(Api& api, std::string path, const Wanted& wanted, bool as_json)
        : api_(api),
          path_(std::move(path)),
          wanted_(wanted),
          as_json_(as_json),
          events_([this](const ServerSentEvent& event) { on_event(event); }) {}

    // Until the workspace is deleted, or Ctrl-C.
    int run() {
        const Interruption interruption;
        api_.set_cancelled([] { return Interruption::happened(); });
        auto heard = std::chrono::steady_clock::now();
        while (!over_ && !Interruption::happened()) {
            try {
                one_stream(heard);
                heard = std::chrono::steady_clock::now();
            } catch (const base::Error& error) {
                const bool passes = error.code() == base::ErrorCode::kUnavailable ||
                                    error.code() == base::ErrorCode::kTimeout;
                if (Interruption::happened()) break;
                if (!passes || !begun_ || std::chrono::steady_clock::now() - heard > kPatience) throw;
                note("the connection is lost; it is tried again");
            }
            if (!over_ && !Interruption::happened()) std::this_thread::sleep_for(kPause);
        }
        return over_ ? kExitOk : kExitInterrupted;
    }

  private:
    void one_stream(std::chrono::steady_clock::time_point& heard) {
        std::vector<std::string> headers;
        auto path = path_ + "/stream";
        if (!last_id_.empty())
            headers.push_back("Last-Event-ID: " + last_id_);
        else
            path += query_of(wanted_);
        events_.reset();
        api_.stream("GET", path, {}, std::move(headers), [&](std::string_view piece) {
            begun_ = true;
            heard = std::chrono::steady_clock::now();
            const bool goes_on = events_.push(piece) && !over_ && !Interruption::happened();
            std::cout.flush();
            return goes_on && std::cout.good();
        });
        if (!std::cout) over_ = true;
    }

    void on_event(const ServerSentEvent& event) {
        const auto data = event.object();
        if (!event.id.empty()) last_id_ = event.id;
        if (event.name == "line") {
            last_note_.clear();
            if (as_json_)
                std::cout << base::to_text(data) << "\n";
            else
                print_line(data, wanted_);
        } else if (event.name == "left-out" || event.name == "interrupted") {
            note(printable(text_in(data, "message")));
        } else if (event.name == "deleted") {
            note(printable(text_in(data, "message")));
            over_ = true;
        }
    }

    void note(const std::string& text) {
        if (std::exchange(last_note_, text) != text) std::cerr << "agentdb9: " << text << "\n";
    }

    Api& api_;
    std::string path_;
    const Wanted& wanted_;
    bool as_json_;
    ServerSentEvents events_;
    std::string last_id_;
    std::string last_note_;
    bool begun_ = false;
    bool over_ = false;
};

int run(const Context& context, const Wanted& wanted) {
    auto api = open_api(context);
    const auto workspace = find_workspace(api, wanted.workspace);
    const auto path = "/api/workspaces/" + text_in(workspace, "id") + "/logs";
    if (wanted.follow) return Follower(api, path, wanted, context.json).run();
    print_once(api, path, wanted, context.json);
    return kExitOk;
}

}  // namespace

void add_logs(CLI::App& program, Context& context, int& code) {
    auto wanted = std::make_shared<Wanted>();
    auto* command = program.add_subcommand("logs", "Show what a workspace's container prints");
    command->footer(
        "With --follow it goes on over stops, starts and switches, and over a server that is away for a "
        "moment: no line is left out or told twice. With --json each line is one JSON object.\n\nExamples:\n"
        "  agentdb9 logs editor --tail 50\n"
        "  agentdb9 logs editor --since 10m --timestamps\n"
        "  agentdb9 logs -f editor");
    command->add_option("WORKSPACE", wanted->workspace, "Its name or id")->required()->type_name("");
    command->add_flag("-f,--follow", wanted->follow, "Go on with what comes");
    command->add_option("--tail", wanted->tail, "The last lines only; absent: 200")
        ->type_name("LINES")
        ->check(CLI::Range(1, 10'000));
    command
        ->add_option("--since", wanted->since,
                     "From a moment on: a time like 2026-11-29T12:00:00Z, or how long ago like 90s, 10m, 2h")
        ->type_name("TIME");
    command->add_flag("-t,--timestamps", wanted->timestamps, "Begin each line with its time");
    add_client_options(*command, context);
    command->callback([&context, &code, wanted] { code = run(context, *wanted); });
}

}  // namespace agentdb9::cli::client
