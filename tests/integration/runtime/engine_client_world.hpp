// A fake engine, a client of it, and the ways in which an answer may be broken.
#pragma once

#include "engine_world.hpp"

namespace agentdb9::test {

using namespace std::chrono_literals;
using runtime::docker::EngineAnswer;
using runtime::docker::EngineClient;
using Then = FakeReply::Then;

struct Broken {
    const char* name;
    FakeReply reply;
    std::string word = "runtime_unavailable";
};

inline std::vector<Broken> broken_replies() {
    const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n";
    const std::string chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    return {
        {"closed without an answer", raw("")},
        {"cut in the status line", raw("HTTP/1.1 2")},
        {"cut in the head", raw(head + "Content-Ty")},
        {"cut before the body", raw(head + "\r\n")},
        {"cut in the body", raw(head + "\r\n12345")},
        {"cut in a chunk's size", raw(chunks + "1")},
        {"cut in a chunk", raw(chunks + "a\r\n12345")},
        {"cut between two chunks", raw(chunks + chunk("12345"))},
        {"cut before the last line", raw(chunks + chunk("12345") + "0\r\n")},
        {"garbage", raw("\1\2\3 this is no HTTP\r\n\r\n")},
        {"another protocol", raw("SSH-2.0-OpenSSH_9.2\r\n")},
        {"a bad chunk size", raw(chunks + "zz\r\nxx\r\n")},
        {"a bad length", raw("HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n")},
        {"a head without end", raw("HTTP/1.1 200 OK\r\nX: " + std::string(1'000'000, 'x'))},
        {"a body of more than 64 MiB", raw("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")},
        {"silence", raw("", Then::kHold), "runtime_timeout"},
        {"silence in the head", raw(head, Then::kHold), "runtime_timeout"},
        {"silence in the body", raw(head + "\r\n12345", Then::kHold), "runtime_timeout"},
        {"silence in a chunk", raw(chunks + "a\r\n12345", Then::kHold), "runtime_timeout"},
        {"silence between chunks", raw(chunks + chunk("12345"), Then::kHold), "runtime_timeout"},
        {"a byte a second",
         {.bytes = head + "\r\n1234567890", .then = Then::kKeep, .byte_pause = 1s},
         "runtime_timeout"},
        {"too late",
         {.bytes = head + "\r\n1234567890", .then = Then::kKeep, .delay = 16s},
         "runtime_timeout"},
    };
}

class EngineClientTest : public testing::Test, protected EngineWorld {
  protected:
    EngineAnswer get(const std::string& target = "/things") { return run(client.call("GET", target)); }
    std::string word_of_get(base::Duration limit = 15s) {
        return word_of(client.call("GET", "/things", std::nullopt, limit));
    }
    // Answers calls other than negotiation.
    void answer_all(FakeReply with) {
        engine.script = [with](const FakeRequest& request) -> std::optional<FakeReply> {
            if (request.path == "/version") return std::nullopt;
            return with;
        };
    }
    std::string seen;
    int status = 0;
    Task<int> follow(std::optional<std::chrono::milliseconds> silence = std::nullopt) {
        return client.stream(
            "GET", "/events", [this](int answered) { status = answered; },
            [this](std::string_view data) { seen += data; }, silence);
    }

    EngineClient client{context.get_executor(), clock, engine.host()};
};

}  // namespace agentdb9::test
