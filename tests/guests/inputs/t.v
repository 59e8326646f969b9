module t; integer i; reg [31:0] s; initial begin s = 1; for (i = 0; i < 2000; i = i + 1) s = (s << 1) ^ (s >> 3) ^ i; $display("lfsr %h", s); $finish; end endmodule
