"""Gradients in ONNX files: operations of TensorFlow's that tf2onnx does not know."""

import numpy as np


def teach():
    """Has tf2onnx write the gradients of `relu`, `leaky_relu` and `rsqrt`."""
    from tf2onnx.handler import tf_op

    @tf_op(["ReluGrad", "LeakyReluGrad"])
    class ReluGrad:
        @classmethod
        def version_9(cls, ctx, node, **_):
            """Where x is positive, the gradient; elsewhere the gradient times the slope."""
            gradient, x = node.input
            slope = node.get_attr_value("alpha", 0.2) if node.type == "LeakyReluGrad" else 0.0
            positive = ctx.make_node("Greater", [x, _number(ctx, node, 0.0)]).output[0]
            small = ctx.make_node("Mul", [gradient, _number(ctx, node, slope)]).output[0]
            _replace(ctx, node, "Where", [positive, gradient, small])

    @tf_op("RsqrtGrad")
    class RsqrtGrad:
        @classmethod
        def version_7(cls, ctx, node, **_):
            """-g y^3 / 2, where y is the reciprocal of the root."""
            y, gradient = node.input
            cube = ctx.make_node("Pow", [y, _number(ctx, node, 3.0)]).output[0]
            half = ctx.make_node("Mul", [gradient, _number(ctx, node, -0.5)]).output[0]
            _replace(ctx, node, "Mul", [half, cube])

    @tf_op("ShapeN")
    class ShapeN:
        @classmethod
        def version_1(cls, ctx, node, **_):
            """The shape of every input; known ones are constants."""
            for i, (name, output) in enumerate(zip(list(node.input), list(node.output))):
                shape = np.array(ctx.get_shape(name), "int32")
                constant = ctx.make_const(f"{node.name}_{i}", shape)
                ctx.replace_all_inputs(output, constant.output[0])
            ctx.remove_node(node.name)


def _number(ctx, node, value):
    """A constant of the graph; its name."""
    return ctx.make_const(f"{node.name}_{value}", np.float32(value)).output[0]


def _replace(ctx, node, operation, inputs):
    """Puts an operation of ONNX in the place of a node."""
    output = node.output[0]
    shape, dtype = ctx.get_shape(output), ctx.get_dtype(output)
    ctx.remove_node(node.name)
    ctx.make_node(
        operation, inputs, name=node.name, outputs=[output], shapes=[shape], dtypes=[dtype]
    )
