#include "simulation/server.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

namespace agentdb9::simulation {

namespace {

// Nobody signs in here: what is judged are workspaces.
const auth::Keys& keys() {
    static const auto keys = auth::Keys::from_secret("a secret that nobody needs to know");
    return keys;
}

}  // namespace

Server::Server(Machine& machine, std::optional<std::string> name, Published published)
    : clock(machine.loop.clock()),
      store(machine.database, machine.shared, std::move(name), machine.store_faults),
      runtime(machine.engine, machine.loop.clock(), machine.random, machine.installation,
              machine.runtime_faults),
      routes(machine.catalogue),
      reconciler(machine.loop.executor(), clock, store, runtime, machine.catalogue, routes,
                 {.parallel_starts = 2, .trash_time = kTrashTime, .health_tick = base::Duration(4000)},
                 store.server_name()),
      containers(clock, store, runtime, reconciler, routes, machine.catalogue),
      volumes(clock, store, runtime),
      workspaces(clock, store, routes, machine.catalogue),
      limits(clock, reconciler, machine.catalogue),
      projects(clock, store, volumes, reconciler, kTrashTime),
      assignments(clock, store, reconciler),
      authenticator(store, clock, keys()),
      neighbours(machine.loop.executor(), clock, store, reconciler, authenticator),
      requests(machine.loop.executor()),
      machine_(machine),
      published_(std::move(published)) {
    routes.set_publisher([this](auto table) { return hand_out(*this, std::move(table)); });
    volumes.on_left_behind([this](const base::WorkspaceId& id) {
        if (reconciler.started()) reconciler.desire_changed(id);
    });
}

// The workers take a moment to lay the older table aside.
Task<> Server::hand_out(Server& server, std::shared_ptr<const model::RouteTable> table) {
    if (server.dead_) throw boost::system::system_error(asio::error::operation_aborted);
    server.published_(std::move(table));
    if (server.machine_.random.chance(0.2)) {
        co_await server.machine_.loop.clock().sleep_for(base::Duration(1));
    } else {
        co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    }
}

void Server::boot() {
    requests.spawn("boot", start(*this));
}

Task<> Server::start(Server& server) {
    for (;;) {
        bool started = true;
        try {
            co_await server.reconciler.start();
        } catch (const base::Error&) {
            started = false;  // its supervisor starts it again
        }
        if (started) break;
        co_await server.machine_.loop.clock().sleep_for(base::Duration(300));
    }
    server.neighbours.start();
    server.up_ = true;
}

Task<> Server::close(Server& server) {
    co_await server.requests.close();
    co_await server.neighbours.stop();
    co_await server.reconciler.stop();
}

void Server::crash(base::Duration database_notices) {
    dead_ = true;
    store.die(database_notices);
    runtime.die();
    // Its coroutines are unwound, which takes no time and reaches nothing.
    finish(base::Duration(0));
}

bool Server::shut_down(base::Duration limit) {
    return finish(limit);
}

bool Server::finish(base::Duration limit) {
    up_ = false;
    asio::co_spawn(machine_.loop.executor(), close(*this),
                   [this](std::exception_ptr error) { closed_ = !error; });
    return machine_.loop.run_until([this] { return closed_; }, limit);
}

}  // namespace agentdb9::simulation
