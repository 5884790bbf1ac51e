// One schedule: a few users who ask for random things at random times, a server or two that may die at any
// moment, and an engine to which things happen. All of it follows from the seed.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "simulation/judge.hpp"

namespace agentdb9::simulation {

struct Verdict {
    std::string problem;
    std::vector<std::string> trace;
};

class World {
  public:
    // The database is emptied first.
    World(std::uint64_t seed, store::SqliteStore& database, bool traced);
    ~World();
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    // Absent: nothing was wrong.
    std::optional<Verdict> run();
    const std::vector<std::string>& trace() const { return trace_; }
    // Two runs of which this is the same went the same way: where chance and the clock have come to.
    std::pair<std::uint64_t, base::Time> mark() const {
        auto copy = random_;
        return {copy.next(), loop_.clock().now()};
    }

  private:
    // The schedule.
    void choose_faults();
    void add_strangers();
    void furnish();
    void act();
    void end_a_server();
    bool wrong() const { return judge_.verdict().has_value(); }
    void settle();
    void empty_the_trash();
    void check_strangers();

    // The servers' lives. A dead one's place is empty until the next boot.
    using Place = std::unique_ptr<Server>;
    void boot(Place& place);
    void boot_all();
    void crash(Place& place);
    void shut_down(Place& place);
    void bury(Place& place);
    // One that takes requests; null when none does.
    Server* any_up();
    Server* any_alive();
    std::size_t pending() const;
    bool all_hear_events() const;

    // What people ask for (requests.cpp).
    void request();
    void spawn(Server& server, std::string what, Task<> work);
    static Task<> lifecycle(World& world, Server& server, Task<services::Requested> request);
    static Task<> create_workspace(Server& server, base::UserId user, std::string type);
    static Task<> create_project(Server& server, base::UserId user);
    static Task<> limit_workspace(Server& server, base::UserId user, base::WorkspaceId id,
                                  model::LimitsChange change);
    static Task<> client(World& world, Server& server, std::string what, Task<> work);
    std::optional<model::Workspace> any_workspace();
    std::optional<model::Project> any_project(const base::UserId& user);
    std::optional<model::Tombstone> any_tombstone();
    static Task<> hand_over(World& world, Server& server, model::Workspace from, model::Workspace to,
                            base::Duration pause);
    bool ask_hand_over(Server& server);
    bool ask_lifecycle(Server& server, std::size_t dice);
    bool ask_catalogue(Server& server, std::size_t dice);
    void ask_trash(Server& server, std::size_t dice);

    // What goes wrong by itself (mischief.cpp).
    void mischief();
    void make_ill(const std::string& id);
    void leave(base::Duration for_how_long);
    void trouble_between_servers(Server& server);
    void cut_off(Server& server);
    void cut_off_at_work(Server& server);
    void restart_database();
    void mend_everything();
    std::string any_instance();

    void note(std::string what);

    test::SimulatedLoop loop_;
    test::Random random_;
    test::SimulatedEngine engine_;
    test::SimulatedDatabase shared_;
    model::Catalogue catalogue_;
    Machine machine_;
    Judge judge_;
    bool traced_;
    std::vector<std::string> trace_;
    std::vector<base::UserId> users_;
    base::InstallationId stranger_;
    bool faulty_ = false;
    double crashes_ = 0;
    std::size_t asked_ = 0;
    std::size_t booted_ = 0;
    bool several_ = false;  // servers on the database
    bool quiet_ = false;    // nothing goes wrong any more
    // What the engine was asked by one that is dead may still come.
    std::vector<Place> graves_;
    std::array<Place, 2> servers_;
};

}  // namespace agentdb9::simulation
