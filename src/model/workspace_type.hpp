// The catalogue: what kinds of workspace there are. Built-in entries, each key of which the configuration may
// override. Plain data; safe on any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/limits.hpp"

namespace agentdb9::model {

struct HealthCheck {
    bool enabled = true;
    std::string path = "/";  // below the application's own root, or its base path where it keeps a prefix
    std::chrono::seconds interval{30};
    std::chrono::seconds timeout{10};
    int retries = 3;      // in a row: then it is unhealthy
    bool restart = true;  // one that is unhealthy, or ends again and again, is not left to itself
    friend bool operator==(const HealthCheck&, const HealthCheck&) = default;
};

struct WorkspaceType {
    std::string type;  // its name in the API, e.g. "vscode"
    std::string name;
    std::string description;
    std::string icon;
    std::string container_image;
    int default_port = 8080;
    // Arguments after the image's own entrypoint; absent: the image's own. May contain {basePath}.
    std::optional<std::vector<std::string>> command;
    std::map<std::string, std::string> env;  // values may contain {basePath}
    bool strip_prefix = true;
    std::vector<std::string> mcp_tools;
    std::vector<std::string> supported_languages;
    std::vector<std::string> features;
    std::optional<std::string> home_path;  // where its home volume is mounted; absent: it keeps none
    ResourceLimits resource_limits;
    SomeLimits maximum_limits;  // what users may set for a workspace of theirs
    HealthCheck health_check;
    std::chrono::seconds idle_stop{0};  // after so long without use; 0: never
};

class Catalogue {
  public:
    explicit Catalogue(std::vector<WorkspaceType> types) : types_(std::move(types)) {}
    const std::vector<WorkspaceType>& all() const { return types_; }
    const WorkspaceType* find(std::string_view type) const;

  private:
    std::vector<WorkspaceType> types_;
};

// vscode, spreadsheet, notebook, database, design.
std::vector<WorkspaceType> built_in_types();

// May a project of `project_type` (absent: never assigned) be used in a workspace of `workspace_type`?
bool is_compatible(const std::optional<std::string>& project_type, std::string_view workspace_type);

}  // namespace agentdb9::model
