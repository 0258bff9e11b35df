module korder.dev/devcluster

go 1.24
