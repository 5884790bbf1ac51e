// Large bodies, down and up, and how they may break.
#include "engine_client_world.hpp"

namespace agentdb9::test {
namespace {

class Taken final : public base::ByteSink {
  public:
    explicit Taken(base::Clock& clock) : clock_(clock) {}
    Task<> write(std::span<const char> piece) override {
        if (pause.count() > 0) co_await clock_.sleep_for(pause);
        if (refuses) throw base::conflict("no_room", "The sink takes nothing.");
        bytes.append(piece.data(), piece.size());
    }
    std::string bytes;
    bool refuses = false;
    base::Duration pause{0};

  private:
    base::Clock& clock_;
};

class Given final : public base::ByteSource {
  public:
    Given(base::Clock& clock, std::string bytes) : clock_(clock), bytes_(std::move(bytes)) {}
    Task<std::size_t> read(std::span<char> room) override {
        if (pause.count() > 0) co_await clock_.sleep_for(pause);
        if (fails) throw base::conflict("it_ends", "The source has failed.");
        const auto amount = std::min({room.size(), bytes_.size() - at_, std::size_t{40'000}});
        std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at_), amount, room.begin());
        at_ += amount;
        co_return amount;
    }
    bool fails = false;
    base::Duration pause{0};

  private:
    base::Clock& clock_;
    std::string bytes_;
    std::size_t at_ = 0;
};

class EngineTransfers : public EngineClientTest {
  protected:
    Task<EngineAnswer> down(base::Duration limit = 60s) { return client.download("/archive", sink, limit); }
    Task<EngineAnswer> up(base::Duration limit = 60s) {
        return client.upload("PUT", "/archive", source, limit);
    }
    Taken sink{clock};
    Given source{clock, std::string(300'000, 'x') + "end"};
};

TEST_F(EngineTransfers, WhatComesDownArrivesWhole) {
    const std::string large(700'000, 'y');
    answer_all(raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk("one ") + chunk(large) +
                   chunk("two") + chunk("")));
    EXPECT_EQ(run(down()).status, 200);
    EXPECT_EQ(sink.bytes, "one " + large + "two");
    sink.bytes.clear();
    answer_all(raw("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"));
    EXPECT_EQ(run(down()).status, 200);
    EXPECT_EQ(sink.bytes, "hello");
}

TEST_F(EngineTransfers, ARefusalIsAnAnswerAndNotTheContent) {
    answer_all(refusal(404, "no such path"));
    const auto answer = run(down());
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(answer.message(), "no such path");
    EXPECT_EQ(sink.bytes, "");
}

TEST_F(EngineTransfers, WhatBreaksOnTheWayDownSaysSo) {
    for (const auto& broken : broken_replies()) {
        // A download may be of any size and take any time, as long as something comes.
        const std::string name = broken.name;
        if (name == "a byte a second" || name == "too late") continue;
        answer_all(broken.reply);
        const auto before = clock.elapsed();
        EXPECT_EQ(word_of(down()), broken.word) << name;
        EXPECT_LE(clock.elapsed() - before, 2 * 60s) << name;
    }
}

TEST_F(EngineTransfers, OnlyTheEnginesSilenceIsLimited) {
    answer_all(raw("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"));
    sink.pause = 10min;
    EXPECT_EQ(run(down()).status, 200);
    source.pause = 10min;
    answer_all(raw("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    EXPECT_EQ(run(up()).status, 200);
}

TEST_F(EngineTransfers, WhatGoesUpArrivesWhole) {
    answer_all(raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
    const auto answer = run(up());
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "ok");
    EXPECT_EQ(engine.requests.back().text, std::string(300'000, 'x') + "end");
}

TEST_F(EngineTransfers, WhatBreaksOnTheWayUpSaysSo) {
    for (const auto& broken : broken_replies()) {
        const std::string name = broken.name;
        if (name == "a byte a second" || name == "too late") continue;
        answer_all(broken.reply);
        const auto before = clock.elapsed();
        EXPECT_EQ(word_of(up()), broken.word) << name;
        EXPECT_LE(clock.elapsed() - before, 2 * 60s) << name;
    }
}

TEST_F(EngineTransfers, WhatTheOtherEndThrowsIsThrownOn) {
    answer_all(raw("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"));
    sink.refuses = true;
    EXPECT_EQ(word_of(down()), "no_room");
    source.fails = true;
    EXPECT_EQ(word_of(up()), "it_ends");
    settle();
    EXPECT_LE(engine.open_connections(), 1U) << "the engine has to see that nothing more comes";
}

}  // namespace
}  // namespace agentdb9::test
