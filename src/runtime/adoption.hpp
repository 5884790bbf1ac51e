// What an earlier AgentDB9 made on the engine: it carries the labels of its kind, but none that says whose it
// is. Labels cannot be added later; so what an operator gives to this installation is told to the runtime
// here, which from then on treats it as its own. What holds for Runtime's calls (runtime.hpp) holds here too.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/runtime.hpp"

namespace agentdb9::runtime {

struct Adopted {
    std::set<std::string> volumes;                  // names: a volume has no id
    std::map<std::string, std::int64_t> instances;  // id → the generation that it counts as
};

struct Strays {
    std::vector<Volume> volumes;             // of a project
    std::vector<model::Instance> instances;  // of a workspace
};

class Adoption {
  public:
    virtual ~Adoption() = default;

    // Replaces what was told before.
    virtual void set_adopted(Adopted adopted) = 0;
    // What no installation's label and no adoption claims.
    virtual Task<Strays> strays() = 0;
    // Gives an adopted instance a place on the workspaces' network, beside those that it has. There already:
    // success.
    virtual Task<> join_network(std::string id) = 0;
};

}  // namespace agentdb9::runtime
