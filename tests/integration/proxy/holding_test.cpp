// Requests that wait for a workspace cost their worker nothing while they wait. The worker is the test's own
// thread here: what it does is counted in turns of its loop, which no busy machine makes more of.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "proxy/worker.hpp"

namespace agentdb9::proxy {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kRequests = 50;
// To begin, to wait and to end; a question to the control plane is two more.
constexpr std::size_t kTurnsEach = 6;
// One that goes round and round comes to more in a moment.
constexpr std::size_t kTooMany = 1'000 * kRequests;

struct Holding : testing::Test {
    asio::io_context control{1};
    asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(control);
    Options options;
    Shared shared;
    model::Route route{.workspace = base::WorkspaceId::generate(),
                       .owner = base::UserId::generate(),
                       .type = "vscode",
                       .default_port = 8080,
                       .state = model::RouteState::kHeld,
                       .instance = "i",
                       .address = {},
                       .published = {{8080, {"127.0.0.1", 1}}},
                       .use = {}};
    std::uint64_t version = 0;
    std::size_t looks = 0;
    std::optional<Worker> worker;
    std::vector<Decision> decisions;

    ~Holding() override {
        if (!worker) return;
        worker->stop();
        worker->io()->run();
    }

    void begin() {
        ControlPlane functions;
        functions.executor = control.get_executor();
        functions.look_at_start = [this](base::UserId, base::WorkspaceId) -> Task<Answer<model::Awakening>> {
            ++looks;
            co_return model::Awakening{.workspace = "desk", .percent = {}, .note = {}, .code = {}};
        };
        worker.emplace(std::make_shared<const Options>(options), std::make_shared<const TrustedProxies>(),
                       std::make_shared<const ControlPlane>(std::move(functions)), shared, nullptr);
    }
    // One only: the cache may have no room for two.
    void signed_in(auth::Credential::Kind kind, std::optional<auth::ApplicationScope> scope) {
        worker->tokens().put({kind, "good"}, std::make_shared<const auth::Principal>(
                                                 auth::Principal{.user = route.owner,
                                                                 .email = {},
                                                                 .username = {},
                                                                 .session = {},
                                                                 .api_token = {},
                                                                 .scope = std::move(scope),
                                                                 .expires_at = worker->wall_clock() + 1h}));
    }
    void publish(model::RouteState state) {
        route.state = state;
        auto table = std::make_shared<model::RouteTable>();
        table->version = ++version;
        table->routes[route.workspace] = std::make_shared<const model::Route>(route);
        worker->publish(std::move(table));
    }
    Task<> decide(std::string text, Origin origin) {
        co_await asio::this_coro::throw_if_cancelled(false);
        http::RequestHead head;
        if (http::parse_request_head(std::move(text), head)) co_return;
        const Client client{origin, "192.0.2.1", "192.0.2.1", false, "http"};
        decisions.push_back(co_await worker->gateway().decide(head, client));
    }
    void programs_ask() {
        signed_in(auth::Credential::Kind::kBearer, {});
        for (std::size_t i = 0; i < kRequests; ++i)
            worker->spawn("request", decide("GET /api/workspaces/" + route.workspace.str() +
                                                "/proxy/ HTTP/1.1\r\nHost: a\r\n"
                                                "Authorization: Bearer good\r\n\r\n",
                                            Origin::kApi));
    }
    void browsers_ask() {
        signed_in(auth::Credential::Kind::kApplicationCookie, auth::ApplicationScope{route.workspace, 8080});
        for (std::size_t i = 0; i < kRequests; ++i)
            worker->spawn("request", decide("GET /" + route.workspace.str() +
                                                "/8080/ HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n"
                                                "Cookie: agentdb9_app=good\r\n\r\n",
                                            Origin::kApplications));
    }
    // All that can be done now, in turns.
    std::size_t go_on() {
        std::size_t turns = 0;
        std::size_t more = 0;
        do {
            control.poll();
            more = 0;
            while (more + turns < kTooMany && worker->io()->poll_one() > 0)
                ++more;
            turns += more;
        } while (more > 0);
        return turns;
    }
    // Until all that asked have their answer, in turns.
    std::size_t wait() {
        auto turns = go_on();
        while (decisions.size() < kRequests && turns < kTooMany) {
            if (worker->io()->run_one_for(15s) == 0) break;
            turns += 1 + go_on();
        }
        EXPECT_EQ(decisions.size(), kRequests);
        return turns;
    }
    std::size_t refused(std::string_view code) const {
        return static_cast<std::size_t>(std::ranges::count_if(decisions, [&](const Decision& decision) {
            const auto* refusal = std::get_if<Refusal>(&decision);
            return refusal && refusal->problem.code == code;
        }));
    }
};

TEST_F(Holding, UntilTheTimeIsOverIsOneWaitEach) {
    options.limits.hold = 50ms;
    begin();
    publish(model::RouteState::kHeld);
    programs_ask();
    EXPECT_LE(wait(), kTurnsEach * kRequests);
    EXPECT_EQ(refused("workspace_not_ready"), kRequests);
}

TEST_F(Holding, SoItIsBeforeTheFirstTable) {
    options.limits.hold = 50ms;
    begin();
    programs_ask();
    EXPECT_LE(wait(), kTurnsEach * kRequests);
    EXPECT_EQ(refused("workspace_not_ready"), kRequests);
}

TEST_F(Holding, APageIsLookedForOnceWhenItsTimeHasCome) {
    route.wake_on_request = true;
    begin();
    publish(model::RouteState::kHeld);
    browsers_ask();
    EXPECT_LE(wait(), kTurnsEach * kRequests);
    EXPECT_EQ(looks, kRequests);
    for (const auto& decision : decisions)
        EXPECT_TRUE(std::holds_alternative<Reply>(decision));
}

TEST_F(Holding, EachTableIsLookedAtOnceAndTheRightOneEndsTheWait) {
    begin();
    publish(model::RouteState::kHeld);
    programs_ask();
    go_on();
    EXPECT_EQ(go_on(), 0U) << "nothing is to be done while they wait";
    for (int i = 0; i < 3; ++i) {
        publish(model::RouteState::kHeld);
        EXPECT_LE(go_on(), kRequests + 1);
        EXPECT_TRUE(decisions.empty());
    }
    publish(model::RouteState::kReady);
    EXPECT_LE(wait(), kTurnsEach * kRequests);
    for (const auto& decision : decisions)
        EXPECT_TRUE(std::holds_alternative<ToApplication>(decision));
}

TEST_F(Holding, TheServersEndIsTheirs) {
    for (const bool at_once : {false, true}) {
        begin();
        publish(model::RouteState::kHeld);
        programs_ask();
        go_on();
        EXPECT_TRUE(decisions.empty());
        if (at_once)
            worker->stop();
        else
            worker->drain();
        EXPECT_LE(go_on(), kTurnsEach * kRequests);
        EXPECT_EQ(refused("workspace_not_ready"), kRequests);
        worker->stop();
        worker->io()->run();
        worker.reset();
        decisions.clear();
    }
}

}  // namespace
}  // namespace agentdb9::proxy
