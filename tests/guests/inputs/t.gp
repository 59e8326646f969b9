print(factor(2^89-1)); print(primepi(10^6)); default(realprecision,50); print(Pi); print(matdet([1,2,3;4,5,6;7,8,10])); print(polroots(x^2-2)[2]); quit
