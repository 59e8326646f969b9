
import threading, queue, multiprocessing, subprocess, os, signal, socket, asyncio, mmap, ctypes, select, tempfile, time
q = queue.Queue(); res = []
def w():
    while True:
        x = q.get()
        if x is None: return
        res.append(x * x)
ts = [threading.Thread(target=w) for _ in range(4)]; [t.start() for t in ts]; [q.put(i) for i in range(100)]; [q.put(None) for _ in ts]; [t.join() for t in ts]; print("threads", sum(res))
def sq(x): return x * x
if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(2) as p: print("pool", sum(p.map(sq, range(50))))
    print("sub", subprocess.run(["sh", "-c", "read a; echo got $a; exit 5"], input=b"abc\n", capture_output=True))
    got = []; signal.signal(signal.SIGUSR1, lambda s, f: got.append(s)); os.kill(os.getpid(), signal.SIGUSR1); print("sig", len(got))
    srv = socket.create_server(("127.0.0.1", 0)); t = threading.Thread(target=lambda: (lambda c: (c.sendall(c.recv(10)[::-1]), c.close()))(srv.accept()[0])); t.start(); c = socket.create_connection(srv.getsockname()); c.sendall(b"hello"); print("tcp", c.recv(10)); t.join()
    a, b = socket.socketpair(); a.send(b"x"); print("poll", select.select([b], [], [], 1)[0] == [b])
    async def go(): return await asyncio.gather(*[asyncio.sleep(0.01 * (3 - i), i) for i in range(3)])
    print("aio", asyncio.run(go()))
    m = mmap.mmap(-1, 8192); m[0:3] = b"abc"; pid = os.fork()
    if pid == 0: m[0:3] = b"xyz"; os._exit(7)
    print("wait", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), m[0:3])
    L = ctypes.CDLL(None); CMP = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int)); arr = (ctypes.c_int * 5)(5, 1, 4, 2, 3); L.qsort(arr, 5, 4, CMP(lambda x, y: x[0] - y[0])); print("ctypes", list(arr))
    t0 = time.monotonic(); time.sleep(0.02); print("sleep", 0.02 <= time.monotonic() - t0 < 2)
