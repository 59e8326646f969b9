(defun fib (n) (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2)))))
(format t "~a~%" (fib 24)) (format t "~a~%" (expt 2 200)) (format t "~{~a ~}~%" (sort (list 3 1 2) #'<)) (handler-case (error "boom") (error (e) (format t "~a~%" e))) (format t "~,6f~%" (sin 1d0))
