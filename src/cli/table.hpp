// Columns of text, aligned, for a terminal. Pure.
#pragma once

#include <string>
#include <vector>

namespace agentdb9::cli {

class Table {
  public:
    explicit Table(std::vector<std::string> header) : rows_{std::move(header)} {}
    // As many cells as the header has.
    void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
    bool empty() const { return rows_.size() == 1; }
    // One line a row; nothing trails a row's last cell.
    std::string text() const;

  private:
    std::vector<std::vector<std::string>> rows_;
};

}  // namespace agentdb9::cli
