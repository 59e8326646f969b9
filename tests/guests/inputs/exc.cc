#include <iostream>
#include <map>
#include <string>
#include <stdexcept>
#include <thread>
#include <vector>
#include <regex>
struct A { int n; A(int n) : n(n) {} ~A() { std::cout << "~A" << n << "\n"; } };
static int f(int n) { A a(n); if (n == 0) throw std::out_of_range("bottom"); return f(n - 1) + 1; }
int main() { std::map<std::string, int> m; for (auto w : {"x", "y", "x", "z", "x"}) m[w]++; for (auto &p : m) std::cout << p.first << "=" << p.second << "\n"; try { f(3); } catch (const std::exception &e) { std::cout << "caught " << e.what() << "\n"; }
  long t = 0; std::vector<std::thread> v; std::vector<long> r(4); for (int i = 0; i < 4; i++) v.emplace_back([i, &r] { for (long k = 0; k < 100000; k++) r[i] += k % (i + 1); }); for (auto &x : v) x.join(); for (long x : r) t += x; std::cout << t << "\n"; std::cout << std::regex_replace(std::string("a1b22c333"), std::regex("[0-9]+"), "#") << "\n"; return 0; }
