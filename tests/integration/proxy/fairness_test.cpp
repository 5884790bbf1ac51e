// One connection does not keep a worker from the others, however fast it sends and reads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include "plane.hpp"

namespace agentdb9::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::size_t kKilobyte = 1024;

proxy::Options one_worker() {
    proxy::Options options;
    options.workers = 1;
    return options;
}

std::string repeated(std::string_view text, std::size_t at_least) {
    std::string all;
    while (all.size() < at_least)
        all += text;
    return all;
}

// Reads as fast as it can, until it is told to end or the other side does.
class Reading {
  public:
    explicit Reading(Connection& from)
        : thread_([this, &from] {
              while (!ended_ && !from.read_some().empty())
                  ++pieces_;
          }) {}
    ~Reading() {
        ended_ = true;
        thread_.join();
    }
    int pieces() const { return pieces_; }

  private:
    std::atomic<bool> ended_ = false;
    std::atomic<int> pieces_ = 0;
    std::thread thread_;
};

struct Fairness : testing::Test {
    Upstream upstream{answering([](const Message& request) { return ok(request.body); })};
    Plane plane{one_worker()};
    model::Route& route = plane.add(upstream.port(), plane.user);

    void expect_others_are_served() {
        for (int i = 0; i < 3; ++i) {
            auto other = plane.api();
            ASSERT_EQ(ask(other, plane.get("/api/x")).status(), 200);
        }
    }
};

TEST_F(Fairness, WhoSendsRequestAfterRequestDoesNotHoldAWorker) {
    auto greedy = plane.apps();
    const auto requests = repeated("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n", 256 * kKilobyte);
    std::atomic<bool> ended = false;
    std::thread sending([&] {
        while (!ended && greedy.send(requests)) {
        }
    });
    {
        Reading reading(greedy);
        EXPECT_TRUE(eventually([&] { return reading.pieces() > 10; }));
        expect_others_are_served();
        ended = true;
        ::shutdown(greedy.fd(), SHUT_RDWR);
        sending.join();
    }
}

TEST_F(Fairness, AnApplicationThatNeverComesToItsAnswerIsA502) {
    const auto interim = repeated("HTTP/1.1 103 Early Hints\r\n\r\n", 256 * kKilobyte);
    Gate began;
    auto served = upstream.serve([&](Connection& connection) {
        connection.read_until("\r\n\r\n");
        began.open();
        while (connection.send(interim)) {
        }
    });
    auto client = plane.api();
    client.send(plane.get(Plane::proxy(route, "/"), kBearer));
    ASSERT_TRUE(began.wait());
    expect_others_are_served();
    // Not for as long as something comes: that might be for ever.
    std::string answer;
    while (!answer.contains("upstream_invalid") && answer.size() < 64 * kKilobyte) {
        const auto piece = client.read_some();
        if (piece.empty()) break;
        answer += piece;
    }
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 103 "));
    EXPECT_THAT(answer, HasSubstr("HTTP/1.1 502 "));
}

// Nothing of them is sent on, so that nothing is waited for either.
TEST_F(Fairness, SoItIsForAnOldClientThatKnowsNoInterimAnswers) {
    const auto interim = repeated("HTTP/1.1 103 Early Hints\r\n\r\n", 256 * kKilobyte);
    auto served = upstream.serve([&](Connection& connection) {
        connection.read_until("\r\n\r\n");
        while (connection.send(interim)) {
        }
    });
    auto client = plane.api();
    client.send("GET " + Plane::proxy(route, "/") + " HTTP/1.0\r\n" + kBearer + "\r\n");
    const auto answer = read_message(client);
    EXPECT_EQ(answer.status(), 502);
    EXPECT_THAT(answer.body, HasSubstr("interim answers"));
    expect_others_are_served();
}

TEST_F(Fairness, AnAnswerInTinyPiecesDoesNotHoldAWorker) {
    const auto pieces = repeated("1\r\nx\r\n", 256 * kKilobyte);
    auto served = upstream.serve([&](Connection& connection) {
        connection.read_until("\r\n\r\n");
        connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        while (connection.send(pieces)) {
        }
    });
    auto client = plane.api();
    client.send("GET " + Plane::proxy(route, "/") + " HTTP/1.0\r\n" + kBearer + "\r\n");
    Reading reading(client);
    EXPECT_TRUE(eventually([&] { return reading.pieces() > 10; }));
    expect_others_are_served();
    ::shutdown(client.fd(), SHUT_RDWR);
}

TEST_F(Fairness, TheServerEndsInTheMiddleOfIt) {
    auto greedy = plane.apps();
    const auto requests = repeated("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n", 256 * kKilobyte);
    std::thread sending([&] {
        while (greedy.send(requests)) {
        }
    });
    {
        Reading reading(greedy);
        EXPECT_TRUE(eventually([&] { return reading.pieces() > 10; }));
        plane.on_control([&] { plane.plane->stop(); });
        sending.join();
    }
}

TEST(IdleConnections, KeepNothingOfALargeHead) {
    constexpr int kConnections = 100;
    constexpr std::size_t kHead = 30'000;
    Plane plane(one_worker());
    std::vector<Connection> idle;
    std::vector<std::string> requests;
    for (int i = 0; i < kConnections; ++i)
        idle.push_back(plane.api());
    const auto large = plane.get("/api/x", "X: " + std::string(kHead, 'x') + "\r\n");
    // What else is kept is so after the first, too.
    for (auto& client : idle)
        ask(client, plane.get("/api/x"));
    const auto before = ::mallinfo2().uordblks;
    for (auto& client : idle)
        EXPECT_EQ(ask(client, large).status(), 200);
    // The answers are here before the sessions wait again.
    EXPECT_TRUE(eventually([&] { return ::mallinfo2().uordblks < before + kConnections * kHead / 4; }));
}

}  // namespace
}  // namespace agentdb9::test
