#include "model/workspace_type.hpp"

#include <algorithm>

namespace agentdb9::model {

const WorkspaceType* Catalogue::find(std::string_view type) const {
    auto found = std::ranges::find(types_, type, &WorkspaceType::type);
    return found == types_.end() ? nullptr : &*found;
}

std::vector<WorkspaceType> built_in_types() {
    std::vector<WorkspaceType> types;
    types.push_back(
        {.type = "vscode",
         .name = "VS Code",
         .description = "Visual Studio Code in the browser, with a terminal and extensions",
         .icon = "code",
         .container_image = "codercom/code-server:latest",
         .default_port = 8080,
         .command = std::vector<std::string>{"--auth", "none", "--disable-workspace-trust", "--bind-addr",
                                             "0.0.0.0:8080", "/workspace"},
         .env = {},
         .strip_prefix = true,
         .mcp_tools = {"filesystem", "git", "terminal", "code_analysis"},
         .supported_languages = {"typescript", "javascript", "python", "rust", "java", "go", "cpp"},
         .features = {"code-editing", "terminal", "git", "debugging", "extensions"},
         .home_path = "/home/coder",
         .resource_limits = {.cpus = 2.0, .memory_mb = 2048, .memory_reservation_mb = 512, .pids = 512},
         .health_check = {.enabled = true, .path = "/healthz"}});
    types.push_back(
        {.type = "spreadsheet",
         .name = "Spreadsheet",
         .description = "Tables, formulas and charts in the browser",
         .icon = "table",
         .container_image = "agentdb9/spreadsheet:latest",
         .default_port = 8081,
         .command = {},
         .env = {},
         .strip_prefix = true,
         .mcp_tools = {"filesystem", "spreadsheet", "data_analysis"},
         .supported_languages = {"sql", "python"},
         .features = {"data-editing", "formulas", "charts", "import-export"},
         .home_path = {},
         .resource_limits = {.cpus = 1.0, .memory_mb = 1024, .memory_reservation_mb = 256, .pids = 512},
         .health_check = {.enabled = true, .path = "/"}});
    types.push_back(
        {.type = "notebook",
         .name = "Notebook",
         .description = "Jupyter notebooks for data, text and code",
         .icon = "book",
         .container_image = "agentdb9/notebook:latest",
         .default_port = 8888,
         .command = {},
         .env = {{"NB_BASE_URL", "{basePath}"}, {"NB_FRAME_ANCESTORS", "*"}},
         .strip_prefix = false,
         .mcp_tools = {"filesystem", "python", "data_analysis"},
         .supported_languages = {"python", "r", "julia"},
         .features = {"notebooks", "terminal", "charts"},
         .home_path = {},
         .resource_limits = {.cpus = 2.0, .memory_mb = 2048, .memory_reservation_mb = 512, .pids = 512},
         .health_check = {.enabled = true, .path = "/api"}});
    types.push_back(
        {.type = "database",
         .name = "Database",
         .description = "Query and manage databases in the browser",
         .icon = "database",
         .container_image = "agentdb9/database:latest",
         .default_port = 8082,
         .command = {},
         .env = {},
         .strip_prefix = true,
         .mcp_tools = {"sql", "schema"},
         .supported_languages = {"sql"},
         .features = {"queries", "schema-editing", "import-export"},
         .home_path = {},
         .resource_limits = {.cpus = 1.0, .memory_mb = 1024, .memory_reservation_mb = 256, .pids = 512},
         .health_check = {.enabled = true, .path = "/"}});
    types.push_back(
        {.type = "design",
         .name = "Design",
         .description = "Drawing and design in the browser",
         .icon = "palette",
         .container_image = "agentdb9/design:latest",
         .default_port = 8083,
         .command = {},
         .env = {},
         .strip_prefix = true,
         .mcp_tools = {"filesystem", "drawing"},
         .supported_languages = {"svg", "css", "html"},
         .features = {"drawing", "export"},
         .home_path = {},
         .resource_limits = {.cpus = 1.0, .memory_mb = 1024, .memory_reservation_mb = 256, .pids = 512},
         .health_check = {.enabled = true, .path = "/"}});
    return types;
}

bool is_compatible(const std::optional<std::string>& project_type, std::string_view workspace_type) {
    return !project_type || *project_type == workspace_type;
}

}  // namespace agentdb9::model
