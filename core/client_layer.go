package sasl

import "errors"

// The reasons why a mechanism is not used because of the security layer that the
// caller demands.
var (
	errNoLayer         = errors.New("the mechanism has no security layer, which ServerInfo.Layer demands")
	errLayerNotCarried = errors.New("this connection cannot carry a security layer, which ServerInfo.Layer demands")
)

// checkLayer returns an error if the ServerInfo has an unknown strength.
func checkLayer(srv *ServerInfo) error {
	switch srv.Layer {
	case AutomaticLayer, NoLayer, IntegrityLayer, ConfidentialityLayer:
		return nil
	}
	return configError("an unknown security layer %q: use none, integrity or confidentiality", string(srv.Layer))
}

// layerFor returns the layer that a run of a mechanism has to negotiate, or the
// reason why the mechanism cannot be used.
func layerFor(srv *ServerInfo, properties *Properties) (LayerStrength, error) {
	switch {
	case srv.Layer.demanded() && !srv.CarriesLayer:
		return NoLayer, errLayerNotCarried
	case srv.Layer.demanded() && !properties.Layers:
		return NoLayer, errNoLayer
	case srv.Layer.demanded():
		return srv.Layer, nil
	case srv.Layer == NoLayer || srv.Secure || srv.TLSVersion != 0 || !srv.CarriesLayer || !properties.Layers:
		return NoLayer, nil
	}
	return ConfidentialityLayer, nil
}

// verifyLayer returns an ErrSecurity if an exchange that is done has not negotiated
// the layer that the run demands.
func verifyLayer(x Exchange, mechanism string, demanded LayerStrength) error {
	layer := layerOf(x)
	switch {
	case layer == nil && demanded.demanded():
		return securityError("%s has negotiated no security layer, and the login demands %s", mechanism, string(demanded))
	case layer == nil:
		return nil
	case !demanded.demanded():
		return securityError("%s has negotiated a security layer, which this connection cannot carry or the caller excludes", mechanism)
	case layer.Strength() != ConfidentialityLayer && layer.Strength() != demanded:
		return securityError("%s has negotiated a security layer of the strength %q, and the login demands %s", mechanism, string(layer.Strength()), string(demanded))
	case layer.MaxPlain() < 1:
		return securityError("%s has negotiated a security layer that cannot carry an octet", mechanism)
	}
	return nil
}
