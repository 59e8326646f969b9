
import json, re, hashlib, zlib, random, heapq, decimal, sys
def fib(n): return n if n < 2 else fib(n-1) + fib(n-2)
def nq(n, r=0, c=0, d=0, e=0): return 1 if r == n else sum(nq(n, r+1, c|1<<i, d|1<<(r+i), e|1<<(r-i+n)) for i in range(n) if not (c>>i&1 or d>>(r+i)&1 or e>>(r-i+n)&1))
random.seed(7); L = [random.random() for _ in range(20000)]
print("fib", fib(19), "queens", nq(6)); print("sort %.12f" % sum(sorted(L)[::100]))
s = json.dumps({"k%d" % i: [i, str(i), i / 3] for i in range(2000)}); print("json", len(s), len(json.loads(s)), hashlib.sha256(s.encode()).hexdigest()[:16], zlib.crc32(s.encode()), len(zlib.compress(s.encode())))
print("re", len(re.findall(r"(\d+)\.(\d+)", s))); h = []; [heapq.heappush(h, x) for x in L]; print("heap %.12f" % heapq.heappop(h))
decimal.getcontext().prec = 60; print("dec", decimal.Decimal(2).sqrt()); print("big", str(3**2000)[:20], pow(7, 10**6, 10**9+7)); print("cplx", abs(complex(3, 4)), 0.1 + 0.2)
